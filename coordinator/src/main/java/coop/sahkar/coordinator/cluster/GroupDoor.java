package coop.sahkar.coordinator.cluster;

import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.ClusterGrpc;
import coop.sahkar.proto.v1.GroupReply;
import coop.sahkar.proto.v1.GroupRequest;
import coop.sahkar.proto.v1.JoinRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Where a coordinator that wants to join knocks: the gateway of one that is a member. */
public final class GroupDoor {
    private static final int LOOK_SECONDS = 10;
    private static final int JOIN_SECONDS = 60;

    private final String gateway;
    private final Transport transport;

    /**
     * @param gateway {@code host:port}
     * @param transport how it is dialled
     */
    public GroupDoor(String gateway, Transport transport) {
        this.gateway = gateway;
        this.transport = transport;
    }

    /**
     * The group behind it.
     *
     * @throws CoordinatorException in a sentence, if nobody is there
     */
    public GroupReply group() {
        return call(LOOK_SECONDS, stub -> stub.group(GroupRequest.getDefaultInstance()));
    }

    /**
     * Asks to be taken in; the log must be listening. Returns when it is a member.
     *
     * @throws CoordinatorException in a sentence, if it is not let in
     */
    public void join(String id, String raft, int knowsLevel) {
        JoinRequest request =
                JoinRequest.newBuilder().setId(id).setRaft(raft).setKnowsLevel(knowsLevel).build();
        call(JOIN_SECONDS, stub -> stub.join(request));
    }

    private GroupReply call(
            int seconds, Function<ClusterGrpc.ClusterBlockingStub, GroupReply> what) {
        ManagedChannel channel =
                transport.to(gateway, PeerRule.COORDINATOR).proxyDetector(_ -> null).build();
        try {
            return what.apply(
                    ClusterGrpc.newBlockingStub(channel)
                            .withDeadlineAfter(seconds, TimeUnit.SECONDS));
        } catch (StatusRuntimeException e) {
            throw new CoordinatorException(
                    e.getStatus().getCode() == Status.Code.UNAVAILABLE
                            ? "no coordinator answers at %s: name the gateway of one that is a member, and join its co-operative first if it has one"
                                    .formatted(gateway)
                            : "the coordinator at %s does not take this one in: %s"
                                    .formatted(gateway, sentence(e.getStatus())),
                    e);
        } finally {
            channel.shutdownNow();
        }
    }

    private static String sentence(Status status) {
        String said = status.getDescription();
        return said == null ? status.getCode().toString() : said;
    }
}
