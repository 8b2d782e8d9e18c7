package coop.sahkar.coordinator.raft;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.client.retry.RequestTypeDependentRetryPolicy;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.proto.RaftProtos.RaftClientRequestProto.TypeCase;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.AlreadyClosedException;
import org.apache.ratis.protocol.exceptions.RaftRetryFailureException;
import org.apache.ratis.retry.RetryPolicies;
import org.apache.ratis.retry.RetryPolicy;
import org.apache.ratis.util.TimeDuration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Through which a coordinator speaks to those that share its log. When the members change another
 * client takes over; the one before stays for calls that are under way. Thread-safe.
 */
final class RaftClients implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RaftClients.class);
    private static final int RETRY_MILLIS = 100;

    /** A change of members waits for the newcomer to have the log. */
    private static final int CHANGE_MILLIS = 20_000;

    private static final int CHANGE_TRIES = 50;

    private final RaftNode node;
    private final RaftProperties properties;
    private final Parameters parameters;
    private Set<String> met;
    private List<RaftPeer> peers;
    private @Nullable RaftClient before;
    private RaftClient client;
    private String leader = "";
    private boolean closed;

    /**
     * @param parameters how links are encrypted
     */
    RaftClients(RaftNode node, RaftProperties properties, Parameters parameters) {
        this.node = node;
        this.properties = properties;
        this.parameters = parameters;
        RaftPeer self = RaftNode.peer(node.self());
        this.peers = List.of(self);
        this.met = names(peers);
        this.client = build(peers);
    }

    private static Set<String> names(Collection<RaftPeer> members) {
        return members.stream()
                .map(peer -> peer.getId() + "@" + peer.getAddress())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The members are these. */
    synchronized void meet(Collection<RaftPeer> members) {
        Set<String> names = names(members);
        if (closed || members.isEmpty() || names.equals(met)) {
            return;
        }
        met = names;
        peers = List.copyOf(members);
        renew();
    }

    private void renew() {
        close(before);
        before = client;
        client = build(peers);
    }

    /**
     * A command that was sent through a client failed so. When one command's time was over, Ratis'
     * client takes no other ever after, and another has to be there in its place.
     *
     * @return whether this is what happened
     */
    synchronized boolean failed(RaftClient with, Throwable failure) {
        boolean over = ended(failure);
        if (!closed && over && with.getId().equals(client.getId())) {
            renew();
        }
        return over;
    }

    private static boolean ended(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof RaftRetryFailureException || t instanceof AlreadyClosedException) {
                return true;
            }
        }
        return false;
    }

    /** The one to use now. */
    synchronized RaftClient now() {
        return client;
    }

    /**
     * The one to use now that this member leads: Ratis' client keeps to the leader it knows until a
     * call to it fails, and one that is cut off fails late.
     *
     * @param leaderId empty if none is known
     */
    synchronized RaftClient toward(String leaderId) {
        boolean known = peers.stream().anyMatch(peer -> peer.getId().toString().equals(leaderId));
        if (!closed && known && !leaderId.equals(leader)) {
            leader = leaderId;
            renew();
        }
        return client;
    }

    /** One for a change of members, which gives up at some time; to be closed after it. */
    RaftClient forChange(Collection<RaftPeer> members) {
        RaftProperties patient = new RaftProperties(properties);
        RaftClientConfigKeys.Rpc.setRequestTimeout(patient, RaftSettings.millis(CHANGE_MILLIS));
        RetryPolicy some =
                RetryPolicies.retryUpToMaximumCountWithFixedSleep(
                        CHANGE_TRIES, RaftSettings.millis(RETRY_MILLIS));
        return build(patient, List.copyOf(members), some);
    }

    private RaftClient build(List<RaftPeer> members) {
        return build(properties, members, retryForAWhile());
    }

    /**
     * Ratis sends again until it is told to stop, whether anybody waits for the reply or not. A
     * command must not take effect long after its sender was told that it could not be written, nor
     * once more when nobody remembers its id; and what nobody waits for must not pile up.
     */
    private static RetryPolicy retryForAWhile() {
        RetryPolicy again = RetryPolicies.retryForeverWithSleep(RaftSettings.millis(RETRY_MILLIS));
        TimeDuration most = RaftSettings.millis(Proposals.MOST_MILLIS);
        return RequestTypeDependentRetryPolicy.newBuilder()
                .setRetryPolicy(TypeCase.WRITE, again)
                .setTimeout(TypeCase.WRITE, most)
                .setRetryPolicy(TypeCase.READ, again)
                .setTimeout(TypeCase.READ, most)
                .build();
    }

    private RaftClient build(RaftProperties with, List<RaftPeer> members, RetryPolicy retry) {
        return RaftClient.newBuilder()
                .setProperties(with)
                .setParameters(parameters)
                .setRaftGroup(RaftGroup.valueOf(node.group(), members))
                .setLeaderId(firstAsked(members))
                .setRetryPolicy(retry)
                .build();
    }

    private @Nullable RaftPeerId firstAsked(List<RaftPeer> members) {
        return members.stream()
                .map(RaftPeer::getId)
                .filter(id -> members.size() == 1 || id.toString().equals(leader))
                .findFirst()
                .orElse(null);
    }

    @Override
    public synchronized void close() {
        closed = true;
        close(before);
        close(client);
    }

    private static void close(@Nullable RaftClient client) {
        try {
            if (client != null) {
                client.close();
            }
        } catch (IOException e) {
            LOG.debug("a client of the log did not close cleanly", e);
        }
    }
}
