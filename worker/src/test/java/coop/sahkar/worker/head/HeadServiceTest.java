package coop.sahkar.worker.head;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.HeadGrpc;
import coop.sahkar.proto.v1.RunRequest;
import coop.sahkar.proto.v1.SamplingMessage;
import coop.sahkar.worker.engine.StageInbox;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.StageShape;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.ring.Ring;
import coop.sahkar.worker.ring.RingOptions;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class HeadServiceTest {
    private static final String MODEL = "m@" + "1".repeat(64);
    private static final long NOW = 1_800_000_000_000L;
    private static final int CONTEXT = 64;

    private final Model model = new Model();
    private KeyPair keys;
    private Ring ring;
    private ManagedChannel channel;

    /** The engine's place: keeps what it is given, and does what the test says. */
    private static final class Model implements HeadHost.HeadModel {
        final ByteVocabulary bytes = new ByteVocabulary();
        final BlockingQueue<GenerationStart> started = new LinkedBlockingQueue<>();
        final List<SessionId> cancelled = new CopyOnWriteArrayList<>();
        volatile boolean full;

        @Override
        public Vocabulary vocabulary() {
            return bytes;
        }

        @Override
        public ChatTemplate chatTemplate() {
            return ChatTemplate.of(
                    "{{ bos_token }}{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}",
                    "<s>", "</s>");
        }

        @Override
        public int contextLength() {
            return CONTEXT;
        }

        @Override
        public boolean start(GenerationStart start) {
            return !full && started.add(start);
        }

        @Override
        public void cancel(SessionId session, int epoch) {
            cancelled.add(session);
        }
    }

    private static final class Deaf implements StageInbox {
        @Override
        public boolean offer(StageMessage message) {
            return true;
        }

        @Override
        public void peerLost(String workerId, String reason) {}
    }

    private static final class Events implements StreamObserver<GenerationEvent> {
        final List<GenerationEvent> got = new CopyOnWriteArrayList<>();
        volatile boolean completed;

        @Override
        public void onNext(GenerationEvent event) {
            got.add(event);
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {
            completed = true;
        }
    }

    @BeforeEach
    void start() throws Exception {
        keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        ring =
                new Ring(
                        RingOptions.defaults("w"),
                        _ -> keys.getPublic(),
                        (_, _) -> {
                            throw new IOException("there is no relay");
                        },
                        Transport.OPEN,
                        PoolClock.of(() -> NOW));
        HeadHost host =
                (id, span) ->
                        id.equals(MODEL) && span.equals(new Span(0, 2))
                                ? Optional.of(model)
                                : Optional.empty();
        int port =
                ring.listen(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                                List.of(new HeadService("w", host, ring.directory(), () -> NOW)))
                        .port();
        ring.directory()
                .register(MODEL, new StageShape(new Span(0, 2), 2, 8, 258, 64, 4, 16), new Deaf());
        channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        ring.close();
    }

    private RunRequest order(UnaryOperator<GenerateRequest.Builder> change) {
        Ticket ticket =
                new Ticket(
                        new SessionId(1, 2),
                        1,
                        MODEL,
                        2,
                        List.of(new RouteStage("w", "127.0.0.1:1", new Span(0, 2))),
                        "",
                        1000,
                        NOW + 1000,
                        1);
        GenerateRequest.Builder request = GenerateRequest.newBuilder().setRequestId("r1");
        return RunRequest.newBuilder()
                .setTicket(Tickets.toWire(Tickets.seal(ticket, "k", keys.getPrivate())))
                .setRequest(change.apply(request))
                .build();
    }

    private Events run(RunRequest request) {
        Events events = new Events();
        HeadGrpc.newStub(channel).run(request, events);
        return events;
    }

    private Problem refusal(RunRequest request) {
        Events events = run(request);
        await().until(() -> events.completed);
        GenerationEvent last = events.got.getLast();
        assertThat(last.hasFailed()).isTrue();
        assertThat(ring.directory().sessionCount()).isZero();
        return Wire.fromWire(last.getFailed().getProblem());
    }

    private GenerationStart started() throws InterruptedException {
        GenerationStart start = model.started.poll(10, TimeUnit.SECONDS);
        assertThat(start).isNotNull();
        return start;
    }

    @Test
    void aGenerationFromStartToFinish() throws Exception {
        Events events = run(order(r -> r.setPrompt("Hi").setMaxTokens(5).addStop("!")));
        GenerationStart start = started();
        assertThat(start.prompt()).containsExactly(ByteVocabulary.BEGIN, 'H', 'i');
        assertThat(start.maxTokens()).isEqualTo(5);
        assertThat(start.sampling().topP()).isEqualTo(1);
        assertThat(ring.directory().sessionCount()).isEqualTo(1);
        start.sink().prefilled(3);
        start.sink().delta(3, new int[] {'y', 'o'}, start.text().accept('y'));
        start.sink().finished(new GenerationEnd(true, 3, 2, 10, 20, 0));
        await().until(() -> events.completed);
        assertThat(events.got.stream().map(GenerationEvent::getEventCase))
                .containsExactly(
                        GenerationEvent.EventCase.STARTED,
                        GenerationEvent.EventCase.PREFILLED,
                        GenerationEvent.EventCase.DELTA,
                        GenerationEvent.EventCase.FINISHED);
        assertThat(events.got.getFirst().getStarted().getPromptTokens()).isEqualTo(3);
        assertThat(events.got.get(2).getDelta().getText()).isEqualTo("y");
        assertThat(ring.directory().sessionCount()).isZero();
    }

    @Test
    void aChatIsRenderedAndItsBeginOfTextNotDoubled() throws Exception {
        ChatMessage message = ChatMessage.newBuilder().setRole("user").setContent("a").build();
        run(order(r -> r.setChat(Chat.newBuilder().addMessages(message))));
        assertThat(started().prompt())
                .containsExactly(ByteVocabulary.BEGIN, 'u', 's', 'e', 'r', ':', 'a', ';');
    }

    @Test
    void maxTokensAreCutToTheContext() throws Exception {
        run(order(r -> r.setPrompt("abc")));
        assertThat(started().maxTokens()).isEqualTo(CONTEXT - 4);
    }

    @Test
    void aPromptBeyondTheContextIsRefusedWithNumbers() {
        Problem problem = refusal(order(r -> r.setPrompt("x".repeat(100))));
        assertThat(problem.kind()).isEqualTo(Problem.Kind.CONTEXT_LENGTH_EXCEEDED);
        assertThat(problem.message()).contains("101 tokens").contains("64");
    }

    @Test
    void badParametersAreNamed() {
        assertThat(refusal(order(r -> r)).field()).isEqualTo("prompt");
        assertThat(refusal(order(r -> r.setChat(Chat.getDefaultInstance()))).field())
                .isEqualTo("messages");
        ChatMessage odd = ChatMessage.newBuilder().setRole("robot").build();
        assertThat(refusal(order(r -> r.setChat(Chat.newBuilder().addMessages(odd)))).field())
                .isEqualTo("messages[0].role");
        assertThat(refusal(order(r -> r.setPrompt("a").addStop(""))).field()).isEqualTo("stop");
        assertThat(refusal(order(r -> r.setPrompt("a").setMaxTokens(-1))).field())
                .isEqualTo("max_tokens");
        assertThat(refusal(sampled(s -> s.setTemperature(Float.NaN))).field())
                .isEqualTo("temperature");
        assertThat(refusal(sampled(s -> s.setTopP(1.5f))).field()).isEqualTo("top_p");
        assertThat(refusal(sampled(s -> s.setTopK(259))).field()).isEqualTo("top_k");
        assertThat(refusal(sampled(s -> s.setMinP(-1))).field()).isEqualTo("min_p");
        assertThat(refusal(sampled(s -> s.setTypicalP(-1))).field()).isEqualTo("typical_p");
        assertThat(refusal(sampled(s -> s.setRepetitionPenalty(11))).field())
                .isEqualTo("repetition_penalty");
        assertThat(refusal(sampled(s -> s.setPresencePenalty(-3))).field())
                .isEqualTo("presence_penalty");
        assertThat(refusal(sampled(s -> s.setPenaltyWindow(-2))).field())
                .isEqualTo("penalty_window");
        assertThat(refusal(sampled(s -> s.putLogitBias(258, 1))).field()).isEqualTo("logit_bias");
    }

    private RunRequest sampled(UnaryOperator<SamplingMessage.Builder> change) {
        return order(r -> r.setPrompt("a").setSampling(change.apply(SamplingMessage.newBuilder())));
    }

    @Test
    void ticketsAreChecked() {
        RunRequest good = order(r -> r.setPrompt("a"));
        RunRequest forged =
                good.toBuilder().setTicket(good.getTicket().toBuilder().clearSignature()).build();
        assertThat(refusal(forged).kind()).isEqualTo(Problem.Kind.PROTOCOL);
        ring.directory().unregister(MODEL, new Span(0, 2));
        assertThat(refusal(good).kind()).isEqualTo(Problem.Kind.MODEL_INCOMPLETE);
    }

    @Test
    void aTicketRunsOnceAndAReplayDisturbsNothing() throws Exception {
        Events first = run(order(r -> r.setPrompt("a")));
        GenerationStart start = started();
        Events second = run(order(r -> r.setPrompt("a")));
        await().until(() -> second.completed);
        assertThat(second.got.getLast().getFailed().getProblem().getMessage()).contains("already");
        assertThat(ring.directory().sessionCount()).isEqualTo(1);
        start.sink().finished(new GenerationEnd(false, 2, 1, 1, 1, 0));
        await().until(() -> first.completed);
        assertThat(first.got.getLast().hasFinished()).isTrue();
    }

    @Test
    void aFullEngineIsOverloaded() {
        model.full = true;
        assertThat(refusal(order(r -> r.setPrompt("a"))).kind()).isEqualTo(Problem.Kind.OVERLOADED);
    }

    @Test
    void hangingUpCancels() throws Exception {
        Context.CancellableContext context = Context.current().withCancellation();
        context.run(() -> run(order(r -> r.setPrompt("a"))));
        started();
        context.cancel(null);
        await().until(() -> !model.cancelled.isEmpty());
        await().until(() -> ring.directory().sessionCount() == 0);
    }

    @Test
    void aSlowReaderGetsEverythingJoined() throws Exception {
        Events events = run(order(r -> r.setPrompt("a")));
        GenerationStart start = started();
        String piece = "text that fills the pipe ".repeat(40);
        int count = 2000;
        for (int i = 0; i < count; i++) {
            start.sink().delta(2 + i, new int[] {i % 256}, piece);
        }
        start.sink().finished(new GenerationEnd(false, 2, count, 1, 1, 0));
        await().until(() -> events.completed);
        int tokens = 0;
        int bytes = 0;
        for (GenerationEvent event : events.got) {
            if (event.hasDelta()) {
                assertThat(event.getDelta().getPosition()).isEqualTo(2 + tokens);
                tokens += event.getDelta().getTokensCount();
                bytes += event.getDelta().getText().getBytes(UTF_8).length;
            }
        }
        assertThat(tokens).isEqualTo(count);
        assertThat(bytes).isEqualTo(count * piece.length());
        assertThat(events.got.getLast().hasFinished()).isTrue();
    }
}
