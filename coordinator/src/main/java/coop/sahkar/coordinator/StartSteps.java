package coop.sahkar.coordinator;

import coop.sahkar.coordinator.accounts.HostKey;
import coop.sahkar.coordinator.cluster.GroupDoor;
import coop.sahkar.coordinator.raft.RaftNode;
import coop.sahkar.coordinator.raft.RatisLog;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AddTicketKey;
import coop.sahkar.coordinator.state.Command.SetPolicy;
import coop.sahkar.coordinator.state.FeatureLevel;
import coop.sahkar.coordinator.state.TicketKeyRecord;
import coop.sahkar.governance.Policy;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.GroupReply;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a coordinator does once, before it serves. */
final class StartSteps {
    private static final Logger LOG = LoggerFactory.getLogger(StartSteps.class);

    private StartSteps() {}

    /** Not worth failing for: operators' keys from the log are as good. */
    static String hostKey(CoordinatorOptions options, SecureRandom random) {
        try {
            return HostKey.draw(options.dataDirectory(), random);
        } catch (IOException e) {
            LOG.warn("no operator's key can be left in {}: {}", options.dataDirectory(), e);
            return "";
        }
    }

    /** Who a coordinator is to be that has no data yet. */
    static Identity newcomer(CoordinatorOptions options, Transport transport) {
        if (options.joinThrough() == null) {
            return Identity.founder(options.id());
        }
        GroupReply group = new GroupDoor(options.joinThrough(), transport).group();
        if (group.getLevel() > FeatureLevel.KNOWN) {
            throw new CoordinatorException(
                    "the pool is at feature level %d and this release knows %d: join with a newer one"
                            .formatted(group.getLevel(), FeatureLevel.KNOWN));
        }
        if (group.getMembersList().stream().anyMatch(m -> m.getId().equals(options.id()))) {
            throw new CoordinatorException(
                    "the pool has a coordinator %s already: choose another --id, or remove that one first"
                            .formatted(options.id()));
        }
        return new Identity(options.id(), UUID.fromString(group.getGroupId()), true);
    }

    /** Asks to be a member of the group that it is to join, unless it is one. */
    static void join(
            CoordinatorOptions options,
            Transport transport,
            DataDirectory directory,
            RaftNode place,
            RatisLog log) {
        String gateway = options.joinThrough();
        if (gateway == null || log.members().hasSelf()) {
            return;
        }
        if (!directory.identity().joined()) {
            throw new CoordinatorException(
                    "%s belongs to a coordinator that began a pool of its own: name another directory to join one"
                            .formatted(options.dataDirectory()));
        }
        remember(directory.path(), place.self().endpoint(), false);
        new GroupDoor(gateway, transport)
                .join(place.self().id(), place.self().endpoint(), FeatureLevel.KNOWN);
    }

    /** Says which key signs its tickets, and the policy that it was told to bring. */
    static void announce(RatisLog log, TicketKeyRecord key, @Nullable Policy policy) {
        if (!key.equals(log.state().ticketKeys().get(key.keyId()))) {
            propose(log, new AddTicketKey(key));
        }
        if (policy != null && !Objects.equals(policy, log.state().policy())) {
            propose(log, new SetPolicy(policy));
        }
    }

    private static void propose(RatisLog log, Command command) {
        log.propose(command)
                .ifPresent(refusal -> {
                    throw new CoordinatorException(
                            "the pool does not take this coordinator in: " + refusal.message());
                });
    }

    /** Notes where this coordinator is found the next time. */
    static void remember(Path directory, String raft, boolean alone) {
        try {
            new Surroundings(raft, alone).write(directory);
        } catch (IOException e) {
            LOG.warn("{} cannot be written: {}", directory, e.getMessage());
        }
    }
}
