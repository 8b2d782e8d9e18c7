package coop.sahkar.coordinator.raft;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;

/**
 * A coordinator's place among those that share a log.
 *
 * @param self this coordinator
 * @param all every coordinator, itself included
 */
public record RaftNode(Address self, List<Address> all) {
    private static final String POOL = "sahkar pool";

    /**
     * Where a coordinator's log is reached.
     *
     * @param id the coordinator's id
     * @param host its host
     * @param port its port
     */
    public record Address(String id, String host, int port) {}

    public RaftNode {
        all = List.copyOf(all);
        if (!all.contains(self)) {
            throw new IllegalArgumentException(
                    "the list of coordinators must hold this one, %s at %s:%d"
                            .formatted(self.id(), self.host(), self.port()));
        }
    }

    boolean single() {
        return all.size() == 1;
    }

    RaftPeerId peerId() {
        return RaftPeerId.valueOf(self.id());
    }

    RaftGroup group() {
        List<RaftPeer> peers = all.stream().map(RaftNode::peer).toList();
        return RaftGroup.valueOf(groupId(), peers);
    }

    static RaftGroupId groupId() {
        return RaftGroupId.valueOf(
                UUID.nameUUIDFromBytes(POOL.getBytes(StandardCharsets.US_ASCII)));
    }

    private static RaftPeer peer(Address address) {
        return RaftPeer.newBuilder()
                .setId(address.id())
                .setAddress(address.host() + ":" + address.port())
                .build();
    }
}
