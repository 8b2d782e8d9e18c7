package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.ModelInfo;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.PoolGrpc;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.PoolStatusRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** What the command asks of coordinators beyond what the client library offers. */
final class PoolCalls {
    private static final int TIMEOUT_SECONDS = 15;

    private PoolCalls() {}

    /** The status as the first coordinator that answers sees it. */
    static PoolStatus status(List<CoordinatorAddress> coordinators, Transport transport) {
        for (CoordinatorAddress address : coordinators) {
            ManagedChannel channel =
                    transport
                            .secure(
                                    NettyChannelBuilder.forAddress(address.host(), address.port()),
                                    PeerRule.COORDINATOR)
                            .build();
            try {
                return PoolGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                        .status(PoolStatusRequest.getDefaultInstance());
            } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
                    throw new CommandFailure(
                            ExitCode.FAILED,
                            "The coordinator at %s failed: %s".formatted(address, e.getStatus()),
                            e);
                }
            } finally {
                channel.shutdownNow();
            }
        }
        throw nobody(coordinators);
    }

    static CommandFailure nobody(List<CoordinatorAddress> coordinators) {
        return new CommandFailure(
                ExitCode.UNREACHABLE,
                "No coordinator answers at %s; check the address, that one is running (sahkar coordinator), and that --ca names its certificate if it speaks encrypted."
                        .formatted(
                                coordinators.stream()
                                        .map(CoordinatorAddress::toString)
                                        .collect(Collectors.joining(", "))));
    }

    /** The model to use when none was named: the only one, else the only one that is ready. */
    static String onlyModel(InferenceClient client) {
        List<ModelInfo> models = client.models();
        List<ModelInfo> ready = models.stream().filter(ModelInfo::ready).toList();
        if (models.isEmpty()) {
            throw new CommandFailure(
                    ExitCode.MODEL_NOT_FOUND,
                    "The pool has no model yet; publish one with 'sahkar publish FILE.gguf'.");
        }
        if (models.size() == 1) {
            return models.getFirst().id();
        }
        if (ready.size() == 1) {
            return ready.getFirst().id();
        }
        throw new CommandFailure(
                ExitCode.USAGE,
                "The pool has %d models; name one with --model: %s."
                        .formatted(
                                models.size(),
                                models.stream()
                                        .map(ModelInfo::name)
                                        .collect(Collectors.joining(", "))));
    }
}
