package coop.sahkar.client;

import coop.sahkar.proto.v1.CountTokensReply;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationFailed;
import coop.sahkar.proto.v1.GenerationGrpc;
import coop.sahkar.proto.v1.ListModelsReply;
import coop.sahkar.proto.v1.ListModelsRequest;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.Problem;
import coop.sahkar.proto.v1.ProblemCode;
import coop.sahkar.proto.v1.RouteStageMessage;
import coop.sahkar.proto.v1.SpanMessage;
import coop.sahkar.proto.v1.Started;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

/** A coordinator that answers as a test says. */
final class FakePool implements AutoCloseable {
    /** What a test does with a call. */
    interface Script
            extends BiConsumer<GenerateRequest, ServerCallStreamObserver<GenerationEvent>> {}

    final List<GenerateRequest> asked = new CopyOnWriteArrayList<>();
    final AtomicInteger cancelled = new AtomicInteger();
    private final Server server;

    FakePool(Script script) throws IOException {
        server =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .addService(new FakeGeneration(script))
                        .addService(new FakeModels())
                        .build()
                        .start();
    }

    /** A pool that says these words, one delta each. */
    static FakePool saying(String... words) throws IOException {
        return saying(finished(words.length), words);
    }

    /** The same with another end. */
    static FakePool saying(GenerationEvent end, String... words) throws IOException {
        return new FakePool((request, out) -> {
            out.onNext(started());
            for (int i = 0; i < words.length; i++) {
                out.onNext(delta(4 + i, words[i]));
            }
            out.onNext(end);
            out.onCompleted();
        });
    }

    String address() {
        return "http://127.0.0.1:" + server.getPort();
    }

    static GenerationEvent started() {
        RouteStageMessage stage =
                RouteStageMessage.newBuilder()
                        .setWorkerId("w1")
                        .setEndpoint("127.0.0.1:9")
                        .setSpan(SpanMessage.newBuilder().setFirst(0).setEnd(6))
                        .build();
        Started started =
                Started.newBuilder()
                        .setRequestId("r1")
                        .setModelId("tiny@00")
                        .setPromptTokens(4)
                        .addRoute(stage)
                        .build();
        return GenerationEvent.newBuilder().setStarted(started).build();
    }

    static GenerationEvent delta(int position, String text) {
        Delta delta = Delta.newBuilder().setPosition(position).addTokens(7).setText(text).build();
        return GenerationEvent.newBuilder().setDelta(delta).build();
    }

    static GenerationEvent finished(int tokens) {
        Finished finished =
                Finished.newBuilder()
                        .setReason(FinishReason.FINISH_REASON_LENGTH)
                        .setPromptTokens(4)
                        .setCompletionTokens(tokens)
                        .setFirstTokenMicros(1500)
                        .setDecodeMicros(2_000_000)
                        .build();
        return GenerationEvent.newBuilder().setFinished(finished).build();
    }

    /** The model ended its answer. */
    static GenerationEvent finishedByItself(int tokens) {
        Finished finished =
                finished(tokens).getFinished().toBuilder()
                        .setReason(FinishReason.FINISH_REASON_STOP)
                        .build();
        return GenerationEvent.newBuilder().setFinished(finished).build();
    }

    static GenerationEvent failed(ProblemCode code, String field, int retryAfterMillis) {
        Problem problem =
                Problem.newBuilder()
                        .setCode(code)
                        .setMessage("said so")
                        .setField(field)
                        .setRetryAfterMillis(retryAfterMillis)
                        .build();
        return GenerationEvent.newBuilder()
                .setFailed(GenerationFailed.newBuilder().setProblem(problem))
                .build();
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    private final class FakeGeneration extends GenerationGrpc.GenerationImplBase {
        private final Script script;

        FakeGeneration(Script script) {
            this.script = script;
        }

        @Override
        public void generate(GenerateRequest request, StreamObserver<GenerationEvent> out) {
            asked.add(request);
            var stream = (ServerCallStreamObserver<GenerationEvent>) out;
            stream.setOnCancelHandler(cancelled::incrementAndGet);
            script.accept(request, stream);
        }

        /** A token for each character of a prompt. */
        @Override
        public void countTokens(GenerateRequest request, StreamObserver<CountTokensReply> out) {
            out.onNext(
                    request.getPrompt().isEmpty()
                            ? CountTokensReply.newBuilder()
                                    .setProblem(
                                            failed(
                                                            ProblemCode
                                                                    .PROBLEM_CODE_INVALID_REQUEST,
                                                            "prompt",
                                                            0)
                                                    .getFailed()
                                                    .getProblem())
                                    .build()
                            : CountTokensReply.newBuilder()
                                    .setTokens(request.getPrompt().length())
                                    .build());
            out.onCompleted();
        }
    }

    private static final class FakeModels extends ModelsGrpc.ModelsImplBase {
        @Override
        public void list(ListModelsRequest request, StreamObserver<ListModelsReply> out) {
            ModelStatus model =
                    ModelStatus.newBuilder()
                            .setModelId("tiny@00")
                            .setName("tiny")
                            .setArchitecture("llama")
                            .setQuantization("Q8_0")
                            .setFileBytes(4_229_216)
                            .setBlockCount(6)
                            .setContextLength(512)
                            .addMissing(SpanMessage.newBuilder().setFirst(2).setEnd(4))
                            .setExplanation("No worker serves blocks 2 and 3.")
                            .setPublishedAtMillis(1000)
                            .build();
            out.onNext(ListModelsReply.newBuilder().addModels(model).build());
            out.onCompleted();
        }
    }
}
