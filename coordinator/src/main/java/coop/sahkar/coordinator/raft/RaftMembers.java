package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.state.LogUnavailableException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.proto.RaftProtos.CommitInfoProto;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest.Arguments;
import org.apache.ratis.protocol.SetConfigurationRequest.Mode;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The coordinators that share a log: who they are, and how one joins, leaves, or takes the lead.
 * Changes are made one member at a time and compared with the members that they were made for, so
 * of two at once one is refused. They wait, so never call them from an event loop.
 */
public final class RaftMembers {
    private static final Logger LOG = LoggerFactory.getLogger(RaftMembers.class);

    /** The leader takes no commands meanwhile, so no longer than an election. */
    private static final int TRANSFER_MILLIS = 2_000;

    /** Elections that may go otherwise before it is given up. */
    private static final int TRANSFER_TRIES = 4;

    private static final int LOOK_MILLIS = 20;

    private final RaftNode node;
    private final RaftServer server;
    private final RaftClients clients;

    /**
     * The group as this coordinator knows it.
     *
     * @param groupId names the log
     * @param leaderId empty during an election
     * @param term number of the leader's term
     * @param appliedIndex last entry applied here
     * @param members by id
     */
    public record View(
            UUID groupId, String leaderId, long term, long appliedIndex, List<Member> members) {
        public View {
            members = List.copyOf(members);
        }
    }

    /**
     * One member.
     *
     * @param id its id
     * @param raft where its log is reached, {@code host:port}
     * @param commitIndex last entry that it is known to have committed; the leader knows best
     */
    public record Member(String id, String raft, long commitIndex) {}

    RaftMembers(RaftNode node, RaftServer server, RaftClients clients) {
        this.node = node;
        this.server = server;
        this.clients = clients;
    }

    /** Whether this coordinator is one of them. */
    public boolean hasSelf() {
        return peers().stream().anyMatch(peer -> peer.getId().equals(node.peerId()));
    }

    /** The group now. */
    public View view() {
        RaftServer.Division division = division();
        List<Member> members = new ArrayList<>();
        for (RaftPeer peer : reached(node, division.getRaftConf())) {
            String id = peer.getId().toString();
            members.add(new Member(id, peer.getAddress(), committed(division, id)));
        }
        members.sort(Comparator.comparing(Member::id));
        return new View(
                node.groupId(),
                Objects.toString(division.getInfo().getLeaderId(), ""),
                division.getInfo().getCurrentTerm(),
                division.getInfo().getLastAppliedIndex(),
                members);
    }

    private static long committed(RaftServer.Division division, String id) {
        return division.getCommitInfos().stream()
                .filter(info -> info.getServer().getId().toStringUtf8().equals(id))
                .mapToLong(CommitInfoProto::getCommitIndex)
                .findFirst()
                .orElse(0);
    }

    /**
     * Takes a member in; returns when it has the log and counts. One that is in already stays.
     *
     * @throws LogUnavailableException in a sentence, when that cannot be
     */
    public void add(RaftNode.Address newcomer) {
        List<RaftPeer> now = List.copyOf(peers());
        RaftPeer peer = RaftNode.peer(newcomer);
        for (RaftPeer known : now) {
            if (known.getId().equals(peer.getId())) {
                if (known.getAddress().equals(peer.getAddress())) {
                    return;
                }
                throw new LogUnavailableException(
                        "the pool has a coordinator %s already, at %s: choose another --id, or remove that one first"
                                .formatted(newcomer.id(), known.getAddress()));
            }
        }
        List<RaftPeer> next = new ArrayList<>(reached(node, division().getRaftConf()));
        next.add(peer);
        change(now, next);
    }

    /**
     * Removes a member; if it leads, another takes the lead before. One that is none is no error.
     *
     * @throws LogUnavailableException in a sentence, when that cannot be
     */
    public void remove(String id) {
        List<RaftPeer> now = List.copyOf(peers());
        List<RaftPeer> next =
                now.stream().filter(peer -> !peer.getId().toString().equals(id)).toList();
        if (next.size() == now.size()) {
            return;
        }
        if (next.isEmpty()) {
            throw new LogUnavailableException(
                    "%s is the only coordinator: end it instead of removing it".formatted(id));
        }
        handOver(id);
        change(now, next);
    }

    /** While it leads, another takes the lead, whoever has most of the log first. */
    private void handOver(String from) {
        for (int tries = 1; view().leaderId().equals(from); tries++) {
            try {
                transfer("");
            } catch (LogUnavailableException e) {
                if (tries >= TRANSFER_TRIES) {
                    throw e;
                }
                LOG.info("coordinator {} leads on for now: {}", from, e.getMessage());
            }
        }
    }

    /**
     * Makes another member the leader.
     *
     * @param id which one; empty for any that does not lead
     * @throws LogUnavailableException in a sentence, when that cannot be
     */
    public void transfer(String id) {
        View view = view();
        String leader = view.leaderId();
        RaftPeerId to =
                view.members().stream()
                        .filter(member ->
                                id.isEmpty() ? !member.id().equals(leader) : member.id().equals(id))
                        .max(Comparator.comparingLong(Member::commitIndex))
                        .map(member -> RaftPeerId.valueOf(member.id()))
                        .orElseThrow(() ->
                                new LogUnavailableException(
                                        id.isEmpty()
                                                ? "there is no other coordinator to lead"
                                                : "no coordinator is called " + id));
        if (to.toString().equals(leader)) {
            return;
        }
        try (RaftClient client = clients.forChange(reached(node, division().getRaftConf()))) {
            check(client.admin().transferLeadership(to, TRANSFER_MILLIS));
        } catch (IOException e) {
            throw failed("the lead could not be handed over", e);
        }
        awaitLeader(to.toString());
    }

    private void awaitLeader(String id) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TRANSFER_MILLIS);
        while (!view().leaderId().equals(id)) {
            if (System.nanoTime() > end) {
                throw new LogUnavailableException(
                        "%s was asked to lead and does not yet: see who does".formatted(id));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS));
        }
    }

    private void change(List<RaftPeer> now, List<RaftPeer> next) {
        Arguments wanted =
                Arguments.newBuilder()
                        .setServersInCurrentConf(now)
                        .setServersInNewConf(next)
                        .setMode(Mode.COMPARE_AND_SET)
                        .build();
        try (RaftClient client = clients.forChange(reached(node, division().getRaftConf()))) {
            check(client.admin().setConfiguration(wanted));
        } catch (IOException e) {
            throw failed("the coordinators could not be changed", e);
        }
    }

    private static void check(RaftClientReply reply) throws IOException {
        if (!reply.isSuccess()) {
            throw reply.getException();
        }
    }

    private static LogUnavailableException failed(String what, IOException why) {
        Throwable root = why;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return new LogUnavailableException(
                "%s (%s: %s); see who is a member now, and try again"
                        .formatted(what, root.getClass().getSimpleName(), root.getMessage()),
                why);
    }

    /** The members where they are reached: one that is alone may have come back elsewhere. */
    static List<RaftPeer> reached(RaftNode node, RaftConfiguration known) {
        return known.getCurrentPeers().stream()
                .map(peer -> peer.getId().equals(node.peerId()) ? RaftNode.peer(node.self()) : peer)
                .toList();
    }

    private Collection<RaftPeer> peers() {
        return division().getRaftConf().getCurrentPeers();
    }

    private RaftServer.Division division() {
        try {
            return server.getDivision(node.group());
        } catch (IOException e) {
            throw new LogUnavailableException("this coordinator's log has ended", e);
        }
    }
}
