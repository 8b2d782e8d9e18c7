package coop.sahkar.worker.store;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.GetManifestRequest;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.PublishReply;
import coop.sahkar.proto.v1.PublishRequest;
import coop.sahkar.worker.gguf.GgufException;
import coop.sahkar.worker.gguf.ModelManifest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The pool's models, as coordinators know them. Asks one coordinator after the other until one
 * answers.
 */
public final class PoolModels {
    private static final long PATIENCE_MILLIS = 8_000;
    private static final long CALL_MILLIS = 9_000;
    private static final long FIRST_PAUSE_MILLIS = 250;

    /** An uplink slower than this cannot publish. */
    private static final long SLOWEST_BYTES_PER_MILLI = 100;

    private final List<String> coordinators;
    private final Transport transport;

    /**
     * Makes no connection yet.
     *
     * @param coordinators host:port each
     * @param transport how they are dialled
     */
    public PoolModels(List<String> coordinators, Transport transport) {
        this.transport = transport;
        this.coordinators = List.copyOf(coordinators);
    }

    /**
     * Publishes a model.
     *
     * @throws StoreException if it is refused, or no coordinator answers
     */
    PublishReply publish(PublishRequest request) throws StoreException, InterruptedException {
        long millis = CALL_MILLIS + request.getSerializedSize() / SLOWEST_BYTES_PER_MILLI;
        return ask("the model cannot be published", millis, stub -> stub.publish(request));
    }

    /**
     * Gets a manifest and checks it.
     *
     * @throws StoreException if no coordinator has it, or it is wrong
     */
    public ModelManifest manifest(String modelId) throws StoreException, InterruptedException {
        GetManifestRequest request = GetManifestRequest.newBuilder().setModelId(modelId).build();
        Manifest wire =
                ask(
                        "there is no manifest of " + modelId,
                        CALL_MILLIS + Limits.MAX_MANIFEST_BYTES / SLOWEST_BYTES_PER_MILLI,
                        stub -> stub.getManifest(request));
        try {
            ModelManifest manifest = ManifestCodec.decode(wire);
            if (!manifest.id().equals(modelId)) {
                throw new StoreException(
                        "a coordinator gave the manifest of %s for %s"
                                .formatted(manifest.id(), modelId));
            }
            return manifest;
        } catch (GgufException e) {
            throw new StoreException(String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * Goes round the coordinators until one answers. What one of them said tells more than that
     * another could not be reached.
     */
    private <T> T ask(
            String failure, long callMillis, Function<ModelsGrpc.ModelsBlockingStub, T> question)
            throws StoreException, InterruptedException {
        long began = System.nanoTime();
        String last = "no coordinator is known";
        boolean said = false;
        long pause = FIRST_PAUSE_MILLIS;
        while (!coordinators.isEmpty()) {
            for (String coordinator : coordinators) {
                try {
                    return askOne(coordinator, callMillis, question);
                } catch (StatusRuntimeException e) {
                    boolean unreachable = e.getStatus().getCause() != null;
                    if (!said || !unreachable) {
                        last = coordinator + ": " + sentence(e.getStatus());
                    }
                    said |= !unreachable;
                    if (!mayPass(e.getStatus())) {
                        throw new StoreException(failure + ": " + last, e);
                    }
                }
            }
            long gone = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            if (gone + pause > PATIENCE_MILLIS) {
                break;
            }
            TimeUnit.MILLISECONDS.sleep(pause);
            pause *= 2;
        }
        throw new StoreException(failure + ": " + last);
    }

    private <T> T askOne(
            String coordinator,
            long callMillis,
            Function<ModelsGrpc.ModelsBlockingStub, T> question) {
        ManagedChannel channel =
                transport
                        .to(coordinator, PeerRule.COORDINATOR)
                        .maxInboundMessageSize(Limits.MAX_MANIFEST_BYTES)
                        .build();
        try {
            return question.apply(
                    ModelsGrpc.newBlockingStub(channel)
                            .withDeadlineAfter(callMillis, TimeUnit.MILLISECONDS));
        } finally {
            channel.shutdownNow();
        }
    }

    private static boolean mayPass(Status status) {
        return switch (status.getCode()) {
            case UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNKNOWN -> true;
            case OK,
                    CANCELLED,
                    INVALID_ARGUMENT,
                    NOT_FOUND,
                    ALREADY_EXISTS,
                    PERMISSION_DENIED,
                    FAILED_PRECONDITION,
                    OUT_OF_RANGE,
                    UNIMPLEMENTED,
                    INTERNAL,
                    DATA_LOSS,
                    UNAUTHENTICATED ->
                    false;
        };
    }

    private static String sentence(Status status) {
        String description = status.getDescription();
        return description == null ? status.getCode().toString() : description;
    }
}
