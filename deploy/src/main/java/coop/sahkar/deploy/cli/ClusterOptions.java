package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.ClusterGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which pool's coordinators a command is about, and by what right it asks them. */
final class ClusterOptions {
    private static final int TIMEOUT_SECONDS = 60;

    @Mixin private PoolOptions pool = new PoolOptions();

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "Data folder of this machine's coordinator. In a co-operative with certificates its own is shown, since only coordinators may change who is one. Default: ~/.local/share/sahkar.")
    private @Nullable Path data;

    /** What the first coordinator says that answers. */
    <T> T first(Function<ClusterGrpc.ClusterBlockingStub, T> question) {
        Transport transport = pool.operatorTransport(data);
        for (CoordinatorAddress address : pool.addresses()) {
            ManagedChannel channel = transport.to(address.toString(), PeerRule.COORDINATOR).build();
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
        throw PoolCalls.nobody(pool.addresses());
    }

    private static String sentence(Status status) {
        String said = status.getDescription();
        return said == null ? status.getCode().toString() : said;
    }
}
