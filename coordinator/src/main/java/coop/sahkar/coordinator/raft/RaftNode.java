package coop.sahkar.coordinator.raft;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;

/**
 * A coordinator's place among those that share a log. What the log's own directory says of the
 * members goes before what is said here.
 *
 * @param groupId names the log
 * @param self this coordinator
 * @param founders who begins a new log, itself included; empty for one that joins
 * @param alone whether it is taken to be the only member, which need not wait for others
 */
public record RaftNode(UUID groupId, Address self, List<Address> founders, boolean alone) {
    private static final String POOL = "sahkar pool";

    /** Names the log of pools that have not drawn a name of their own. */
    public static final UUID UNNAMED =
            UUID.nameUUIDFromBytes(POOL.getBytes(StandardCharsets.US_ASCII));

    /**
     * Where a coordinator's log is reached.
     *
     * @param id the coordinator's id
     * @param host its host
     * @param port its port
     */
    public record Address(String id, String host, int port) {
        /** {@code host:port}. */
        public String endpoint() {
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }
    }

    public RaftNode {
        founders = List.copyOf(founders);
        if (!founders.isEmpty() && !founders.contains(self)) {
            throw new IllegalArgumentException(
                    "the list of coordinators must hold this one, %s at %s"
                            .formatted(self.id(), self.endpoint()));
        }
    }

    RaftPeerId peerId() {
        return RaftPeerId.valueOf(self.id());
    }

    RaftGroupId group() {
        return RaftGroupId.valueOf(groupId);
    }

    RaftGroup foundersGroup() {
        return RaftGroup.valueOf(group(), founders.stream().map(RaftNode::peer).toList());
    }

    static RaftPeer peer(Address address) {
        return RaftPeer.newBuilder().setId(address.id()).setAddress(address.endpoint()).build();
    }
}
