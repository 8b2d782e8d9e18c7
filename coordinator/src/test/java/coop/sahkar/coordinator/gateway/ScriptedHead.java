package coop.sahkar.coordinator.gateway;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.DetokenizeReply;
import coop.sahkar.proto.v1.DetokenizeRequest;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationFailed;
import coop.sahkar.proto.v1.HeadGrpc;
import coop.sahkar.proto.v1.Prefilled;
import coop.sahkar.proto.v1.RouteStageMessage;
import coop.sahkar.proto.v1.RunRequest;
import coop.sahkar.proto.v1.SpanMessage;
import coop.sahkar.proto.v1.Started;
import coop.sahkar.proto.v1.TokenChance;
import coop.sahkar.proto.v1.TokenChances;
import coop.sahkar.proto.v1.TokenizeReply;
import coop.sahkar.proto.v1.TokenizeRequest;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A head that says what a test tells it to, over real gRPC. */
final class ScriptedHead extends HeadGrpc.HeadImplBase implements AutoCloseable {
    /** Tokens of every prompt here. */
    static final int PROMPT_TOKENS = 7;

    private static final RouteStageMessage STAGE =
            RouteStageMessage.newBuilder()
                    .setWorkerId("a\r\nb")
                    .setSpan(SpanMessage.newBuilder().setFirst(0).setEnd(6))
                    .build();

    /** What the head does with a call. */
    interface Script {
        void play(RunRequest request, Call call);
    }

    /** One call, as a script sees it. */
    static final class Call {
        final ServerCallStreamObserver<GenerationEvent> out;
        final CountDownLatch cancelled = new CountDownLatch(1);
        final AtomicInteger sent = new AtomicInteger();

        Call(ServerCallStreamObserver<GenerationEvent> out) {
            this.out = out;
            out.setOnCancelHandler(cancelled::countDown);
        }

        void started() {
            out.onNext(
                    GenerationEvent.newBuilder()
                            .setStarted(
                                    Started.newBuilder()
                                            .setModelId(ScriptedPool.MODEL)
                                            .addRoute(STAGE)
                                            .setPromptTokens(PROMPT_TOKENS))
                            .build());
        }

        void prefilled(int positions) {
            out.onNext(
                    GenerationEvent.newBuilder()
                            .setPrefilled(Prefilled.newBuilder().setPositions(positions))
                            .build());
        }

        /** Token number {@code index} of the answer, which is the word at that index. */
        void token(int index, String text) {
            out.onNext(
                    GenerationEvent.newBuilder()
                            .setDelta(
                                    Delta.newBuilder()
                                            .setPosition(PROMPT_TOKENS + index)
                                            .addTokens(100 + index)
                                            .setText(text))
                            .build());
            sent.incrementAndGet();
        }

        /** A worker of the route is lost, and there is no route without it. */
        void withoutSpare(String lost) {
            Problem problem =
                    Problem.of(Problem.Kind.WORKER_LOST, "Worker %s was lost.".formatted(lost));
            out.onNext(
                    GenerationEvent.newBuilder()
                            .setFailed(
                                    GenerationFailed.newBuilder()
                                            .setProblem(Wire.toWire(problem))
                                            .setWorkerId(lost)
                                            .setNoSpare(true))
                            .build());
            out.onCompleted();
        }

        /** The same with how likely it and one other were. */
        void likelyToken(int index, String text) {
            out.onNext(
                    GenerationEvent.newBuilder()
                            .setDelta(
                                    Delta.newBuilder()
                                            .setPosition(PROMPT_TOKENS + index)
                                            .addTokens(100 + index)
                                            .setText(text)
                                            .addChances(
                                                    TokenChances.newBuilder()
                                                            .addChances(chance(text, -0.5f))
                                                            .addChances(chance("other", -0.25f))))
                            .build());
            sent.incrementAndGet();
        }

        private static TokenChance chance(String text, float log) {
            return TokenChance.newBuilder()
                    .setPiece(ByteString.copyFromUtf8(text))
                    .setLogProbability(log)
                    .build();
        }

        void finished(FinishReason reason, int completionTokens) {
            out.onNext(
                    GenerationEvent.newBuilder()
                            .setFinished(
                                    Finished.newBuilder()
                                            .setReason(reason)
                                            .setPromptTokens(PROMPT_TOKENS)
                                            .setCompletionTokens(completionTokens))
                            .build());
            out.onCompleted();
        }
    }

    final List<RunRequest> requests = new CopyOnWriteArrayList<>();
    final List<Call> calls = new CopyOnWriteArrayList<>();
    private final Server server;
    private volatile Script script;

    ScriptedHead(Script script) {
        this.script = script;
        try {
            server =
                    NettyServerBuilder.forAddress(
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                            .permitKeepAliveTime(1, TimeUnit.SECONDS)
                            .addService(this)
                            .build()
                            .start();
        } catch (IOException refused) {
            throw new UncheckedIOException(refused);
        }
    }

    /** A script that answers with these words, from the first one not committed yet. */
    static Script saying(String... words) {
        return (request, call) -> {
            call.started();
            call.prefilled(PROMPT_TOKENS);
            for (int i = request.getCommittedCount(); i < words.length; i++) {
                call.token(i, words[i]);
            }
            call.finished(FinishReason.FINISH_REASON_STOP, words.length);
        };
    }

    void now(Script next) {
        script = next;
    }

    String endpoint() {
        return "127.0.0.1:" + server.getPort();
    }

    @Override
    public void run(RunRequest request, StreamObserver<GenerationEvent> observer) {
        Call call = new Call((ServerCallStreamObserver<GenerationEvent>) observer);
        requests.add(request);
        calls.add(call);
        script.play(request, call);
    }

    /** Each character is a token here, its number the code. */
    @Override
    public void tokenize(TokenizeRequest request, StreamObserver<TokenizeReply> observer) {
        TokenizeReply.Builder reply = TokenizeReply.newBuilder();
        String text = (request.getAddSpecial() ? "^" : "") + request.getText();
        text.chars()
                .forEach(unit -> {
                    reply.addTokens(unit);
                    if (request.getWithPieces()) {
                        reply.addPieces(ByteString.copyFromUtf8(Character.toString(unit)));
                    }
                });
        observer.onNext(reply.build());
        observer.onCompleted();
    }

    @Override
    public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeReply> observer) {
        StringBuilder text = new StringBuilder();
        request.getTokensList().forEach(text::appendCodePoint);
        observer.onNext(DetokenizeReply.newBuilder().setText(text.toString()).build());
        observer.onCompleted();
    }

    /** Dies as a killed process does. */
    @Override
    public void close() {
        server.shutdownNow();
    }
}
