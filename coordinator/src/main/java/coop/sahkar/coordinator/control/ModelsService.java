package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.log.LogFormatException;
import coop.sahkar.coordinator.log.ManifestReader;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.proto.v1.GetManifestRequest;
import coop.sahkar.proto.v1.ListModelsReply;
import coop.sahkar.proto.v1.ListModelsRequest;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.PublishReply;
import coop.sahkar.proto.v1.PublishRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishing and listing models. Failures are gRPC statuses whose description is the sentence.
 * Calls that wait for the log do so on virtual threads.
 */
public final class ModelsService extends ModelsGrpc.ModelsImplBase implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ModelsService.class);

    private final ReplicatedLog log;
    private final PoolLook look;
    private final LongSupplier unixMillis;
    private final ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();

    /**
     * @param unixMillis the time that publications are dated with
     */
    public ModelsService(ReplicatedLog log, PoolLook look, LongSupplier unixMillis) {
        this.log = log;
        this.look = look;
        this.unixMillis = unixMillis;
    }

    @Override
    public void publish(PublishRequest request, StreamObserver<PublishReply> out) {
        answer(out, () -> publish(request));
    }

    private PublishReply publish(PublishRequest request) {
        ModelManifest manifest;
        try {
            manifest = ManifestReader.read(request.getManifest().toByteArray());
        } catch (LogFormatException e) {
            throw failure(Status.INVALID_ARGUMENT, String.valueOf(e.getMessage()));
        }
        boolean known = log.state().models().containsKey(manifest.id());
        propose(
                new PublishModel(
                        manifest,
                        request.getSourcesList(),
                        request.getMinStages(),
                        unixMillis.getAsLong()));
        return PublishReply.newBuilder()
                .setModelId(manifest.id())
                .setAlreadyPublished(known)
                .build();
    }

    @Override
    public void list(ListModelsRequest request, StreamObserver<ListModelsReply> out) {
        answer(out, () -> ListModelsReply.newBuilder().addAllModels(look.models()).build());
    }

    @Override
    public void getManifest(GetManifestRequest request, StreamObserver<Manifest> out) {
        answer(out, () -> manifest(request.getModelId()));
    }

    private Manifest manifest(String modelId) {
        ModelRecord model = log.state().models().get(modelId);
        if (model == null) {
            throw failure(Status.NOT_FOUND, "no model %s is published".formatted(shown(modelId)));
        }
        try {
            return Manifest.parseFrom(model.manifest().encoded().bytes());
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new IllegalStateException("a manifest in the state was read before", e);
        }
    }

    private void propose(Command command) {
        Refusal refusal;
        try {
            refusal = log.propose(command).orElse(null);
        } catch (LogUnavailableException e) {
            throw failure(Status.UNAVAILABLE, String.valueOf(e.getMessage()));
        }
        if (refusal != null) {
            Status status =
                    switch (refusal.reason()) {
                        case INVALID -> Status.INVALID_ARGUMENT;
                        case NOT_FOUND -> Status.NOT_FOUND;
                        case STALE -> Status.ABORTED;
                        case FULL -> Status.RESOURCE_EXHAUSTED;
                    };
            throw failure(status, refusal.message());
        }
    }

    private <T> void answer(StreamObserver<T> out, Supplier<T> call) {
        try {
            calls.execute(() -> run(out, call));
        } catch (RejectedExecutionException e) {
            out.onError(failure(Status.UNAVAILABLE, "this coordinator is shutting down"));
        }
    }

    private static <T> void run(StreamObserver<T> out, Supplier<T> call) {
        T reply;
        try {
            reply = call.get();
        } catch (StatusRuntimeException e) {
            out.onError(e);
            return;
        } catch (RuntimeException e) {
            LOG.error("a call to Models failed", e);
            out.onError(failure(Status.INTERNAL, "a fault of the coordinator; its log says more"));
            return;
        }
        out.onNext(reply);
        out.onCompleted();
    }

    private static StatusRuntimeException failure(Status status, String sentence) {
        return status.withDescription(sentence).asRuntimeException();
    }

    private static String shown(String name) {
        return name.substring(0, Math.min(120, name.length()));
    }

    @Override
    public void close() {
        calls.shutdownNow();
    }
}
