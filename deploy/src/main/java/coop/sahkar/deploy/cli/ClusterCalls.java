package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.proto.v1.ClusterGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** What the command asks of the group of coordinators. */
final class ClusterCalls {
    private static final int TIMEOUT_SECONDS = 60;

    private ClusterCalls() {}

    /** What the first coordinator says that answers. */
    static <T> T first(
            List<CoordinatorAddress> coordinators,
            Function<ClusterGrpc.ClusterBlockingStub, T> question) {
        for (CoordinatorAddress address : coordinators) {
            ManagedChannel channel =
                    NettyChannelBuilder.forAddress(address.host(), address.port())
                            .usePlaintext()
                            .build();
            try {
                return question.apply(
                        ClusterGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS));
            } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
                    throw new CommandFailure(
                            ExitCode.FAILED,
                            "The coordinator at %s says: %s"
                                    .formatted(address, sentence(e.getStatus())),
                            e);
                }
            } finally {
                channel.shutdownNow();
            }
        }
        throw PoolCalls.nobody(coordinators);
    }

    private static String sentence(Status status) {
        String said = status.getDescription();
        return said == null ? status.getCode().toString() : said;
    }
}
