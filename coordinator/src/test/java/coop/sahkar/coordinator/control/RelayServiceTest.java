package coop.sahkar.coordinator.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.grpc.GrpcService;
import coop.sahkar.coordinator.Secret;
import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LeaseTable;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.relay.RelayDesk;
import coop.sahkar.coordinator.relay.RelayTokens;
import coop.sahkar.coordinator.state.Encoded;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.TicketKeyRecord;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.RelayAnswer;
import coop.sahkar.proto.v1.RelayAttachRequest;
import coop.sahkar.proto.v1.RelayCall;
import coop.sahkar.proto.v1.RelayChunk;
import coop.sahkar.proto.v1.RelayDial;
import coop.sahkar.proto.v1.RelayGrpc;
import coop.sahkar.proto.v1.SignedTicket;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The relay as the gateway's server mounts it, and callers of every kind. */
class RelayServiceTest {
    private static final long NOW = 1_000_000;
    private static final Duration SOON = Duration.ofSeconds(20);

    private final KeyPair keys = newKeys();
    private final RelayTokens tokens = new RelayTokens(new Secret(new byte[32]));
    private final LeaseTable leases = new LeaseTable(0);
    private volatile int bytesPerSecond = 1 << 30;
    private final RelayDesk desk =
            new RelayDesk("c.test:7311", leases, () -> bytesPerSecond, System::nanoTime);
    private final List<ManagedChannel> channels = new ArrayList<>();
    private Server server = Server.builder().service("/", (_, _) -> null).build();

    /** What a relayed worker hears. */
    private static final class Line implements StreamObserver<RelayCall> {
        final BlockingQueue<Long> calls = new LinkedBlockingQueue<>();
        final AtomicReference<Status> end = new AtomicReference<>();

        @Override
        public void onNext(RelayCall call) {
            calls.add(call.getCall());
        }

        @Override
        public void onError(Throwable failure) {
            end.set(Status.fromThrowable(failure));
        }

        @Override
        public void onCompleted() {
            end.set(Status.OK);
        }

        long next() throws InterruptedException {
            Long call = calls.poll(SOON.toSeconds(), TimeUnit.SECONDS);
            assertThat(call).as("a call").isNotNull();
            return call;
        }
    }

    @BeforeEach
    void start() {
        TreeMap<String, TicketKeyRecord> known = new TreeMap<>();
        known.put("k", new TicketKeyRecord("k", new Encoded(keys.getPublic().getEncoded())));
        PoolState empty = PoolState.EMPTY;
        PoolState state =
                new PoolState(
                        empty.policy(),
                        empty.workers(),
                        empty.models(),
                        empty.placement(),
                        known,
                        List.of());
        RelayService service =
                new RelayService(
                        desk,
                        tokens,
                        new Attendance(() -> state, leases, () -> 1),
                        () -> state,
                        () -> NOW);
        server =
                Server.builder()
                        .http(0)
                        .requestTimeoutMillis(0)
                        .maxRequestLength(0)
                        .gracefulShutdownTimeoutMillis(0, 0)
                        .service(
                                GrpcService.builder()
                                        .addService(service)
                                        .useBlockingTaskExecutor(true)
                                        .build())
                        .build();
        server.start().join();
        for (String worker : List.of("a", "b", "c")) {
            leases.attached(worker, 0);
        }
    }

    @AfterEach
    void stop() {
        channels.forEach(ManagedChannel::shutdownNow);
        desk.close();
        server.stop().join();
    }

    private static KeyPair newKeys() {
        try {
            return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private ManagedChannel channel() {
        ManagedChannel channel =
                NettyChannelBuilder.forAddress("127.0.0.1", server.activeLocalPort())
                        .usePlaintext()
                        .build();
        channels.add(channel);
        return channel;
    }

    private Line attach(String worker) {
        Line line = new Line();
        RelayGrpc.newStub(channel())
                .attach(
                        RelayAttachRequest.newBuilder()
                                .setWorkerId(worker)
                                .setToken(token(worker))
                                .build(),
                        line);
        await().atMost(SOON).until(() -> line.end.get() != null || !endpoint(worker).isEmpty());
        return line;
    }

    private WorkerPresence presence(String worker) {
        return Objects.requireNonNull(leases.presence(List.of(worker), 1000, 1000, 1).get(worker));
    }

    private String endpoint(String worker) {
        return presence(worker).relayEndpoint();
    }

    private ByteString token(String worker) {
        return ByteString.copyFrom(tokens.of(worker));
    }

    private SignedTicket ticket(KeyPair by, long expires, String... workers) {
        List<RouteStage> stages = new ArrayList<>();
        for (String worker : workers) {
            int first = stages.size();
            stages.add(new RouteStage(worker, "x:1", new Span(first, first + 1)));
        }
        Ticket ticket =
                new Ticket(
                        new SessionId(1, 2),
                        1,
                        "m@" + "0".repeat(64),
                        stages.size(),
                        stages,
                        "",
                        64,
                        expires,
                        1);
        SealedTicket sealed = Tickets.seal(ticket, "k", by.getPrivate());
        return Tickets.toWire(sealed);
    }

    private RelayDial.Builder dialling(String caller, String target) {
        return RelayDial.newBuilder()
                .setWorkerId(caller)
                .setToken(token(caller))
                .setTargetId(target)
                .setTicket(ticket(keys, NOW + 1, "a", "b"));
    }

    private RelayParty dial(RelayDial.Builder dial) {
        return new RelayParty(channel(), RelayChunk.newBuilder().setDial(dial).build(), true);
    }

    private RelayParty answer(String worker, long call, boolean reads) {
        return new RelayParty(
                channel(),
                RelayChunk.newBuilder()
                        .setAnswer(
                                RelayAnswer.newBuilder()
                                        .setWorkerId(worker)
                                        .setToken(token(worker))
                                        .setCall(call))
                        .build(),
                reads);
    }

    private static void assertEnds(RelayParty party, String how) {
        await().atMost(SOON).until(() -> party.end != null);
        assertThat(party.refusal()).contains(how);
    }

    @Test
    void carriesBothWaysCountsAndEndsWithEitherEnd() throws Exception {
        Line line = attach("b");
        assertThat(endpoint("b")).isEqualTo("relay://c.test:7311/b");
        RelayParty caller = dial(dialling("a", "b"));
        caller.say("before it is taken, ");
        RelayParty called = answer("b", line.next(), true);
        caller.say("and after");
        called.say("heard");

        await().atMost(SOON).until(() -> called.text().equals("before it is taken, and after"));
        await().atMost(SOON).until(() -> caller.text().equals("heard"));
        assertThat(desk.bytes("b")).isEqualTo(34);
        assertThat(desk.bytes("a")).isZero();

        called.say(", bye");
        called.call().onCompleted();
        assertEnds(caller, "OK");
        assertThat(caller.text()).as("what came before the end").isEqualTo("heard, bye");

        RelayParty again = dial(dialling("a", "b"));
        RelayParty calledAgain = answer("b", line.next(), true);
        again.say("x");
        await().atMost(SOON).until(() -> calledAgain.text().equals("x"));
        again.call().cancel("the caller died", null);
        assertEnds(calledAgain, "OK");
    }

    @Test
    void onlyWorkersOfOneSessionAreConnected() {
        attach("b");
        attach("c");
        assertEnds(dial(dialling("a", "b").setToken(token("c"))), "PERMISSION_DENIED");
        assertEnds(dial(dialling("a", "c")), "does not name both worker a and worker c");
        assertEnds(dial(dialling("c", "b")), "does not name both worker c and worker b");
        assertEnds(
                dial(dialling("a", "b").setTicket(ticket(newKeys(), NOW + 1, "a", "b"))),
                "PERMISSION_DENIED");
        assertEnds(dial(dialling("a", "b").setTicket(ticket(keys, NOW - 1, "a", "b"))), "expired");
        assertEnds(
                dial(dialling("a", "b").setTicket(SignedTicket.getDefaultInstance())),
                "INVALID_ARGUMENT");
        assertEnds(dial(dialling("a", "b").clearTicket()), "has nothing to fetch from worker b");
        assertEnds(
                dial(dialling("z", "b").setTicket(ticket(keys, NOW + 1, "z", "b"))),
                "attached to this coordinator");
        assertEnds(
                dial(dialling("b", "a")), "Worker a is not reached through this coordinator now");
    }

    @Test
    void aStrangerIsNotAnnouncedAndTakesNobodysCall() throws Exception {
        Line stranger = attach("z");
        assertThat(String.valueOf(stranger.end.get())).contains("PERMISSION_DENIED");
        Line line = attach("b");
        RelayParty caller = dial(dialling("a", "b"));
        long call = line.next();

        assertEnds(answer("c", call, true), "Nobody waits for call");
        RelayParty called = answer("b", call, true);
        caller.say("x");
        await().atMost(SOON).until(() -> called.text().equals("x"));
        assertEnds(answer("b", call, true), "Nobody waits for call");
    }

    @Test
    void garbageEndsItsCallAndNoOther() throws Exception {
        Line line = attach("b");
        RelayParty good = dial(dialling("a", "b"));
        RelayParty called = answer("b", line.next(), true);

        RelayChunk data = RelayChunk.newBuilder().setData(ByteString.copyFromUtf8("x")).build();
        assertEnds(new RelayParty(channel(), data, true), "begins with dial or answer");
        assertEnds(new RelayParty(channel(), RelayChunk.getDefaultInstance(), true), "is empty");
        RelayParty twice = dial(dialling("a", "b"));
        RelayParty other = answer("b", line.next(), true);
        twice.call().onNext(RelayChunk.newBuilder().setDial(dialling("a", "b")).build());
        assertEnds(twice, "dialled once");
        assertEnds(other, "dialled once");
        RelayParty huge = dial(dialling("a", "b"));
        RelayParty victim = answer("b", line.next(), true);
        huge.send(ByteString.copyFrom(new byte[Limits.MAX_RELAY_CHUNK_BYTES + 1]));
        assertEnds(victim, "65537 bytes");
        assertThat(victim.heard).isEmpty();

        good.say("still here");
        await().atMost(SOON).until(() -> called.text().equals("still here"));
    }

    @Test
    void aFloodIsHeldToTheRate() throws Exception {
        bytesPerSecond = 64 * 1024;
        Line line = attach("b");
        RelayParty caller = dial(dialling("a", "b"));
        RelayParty called = answer("b", line.next(), true);
        long begun = System.nanoTime();
        ByteString piece = ByteString.copyFrom(new byte[8 * 1024]);
        for (int i = 0; i < 64; i++) {
            caller.send(piece);
        }

        await().atMost(SOON).until(() -> called.heardBytes.get() >= 160 * 1024);
        double seconds = (System.nanoTime() - begun) / 1e9;
        assertThat(called.heardBytes.get())
                .isLessThanOrEqualTo((long) (64 * 1024 * (seconds + 0.25)) + piece.size());
    }

    @Test
    void aTargetThatDoesNotReadHoldsBackItsCallerAlone() throws Exception {
        Line line = attach("b");
        RelayParty caller = dial(dialling("a", "b"));
        RelayParty asleep = answer("b", line.next(), false);
        RelayParty other = dial(dialling("a", "b"));
        RelayParty awake = answer("b", line.next(), true);
        ByteString piece = ByteString.copyFrom(new byte[Limits.MAX_RELAY_CHUNK_BYTES]);
        long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        int sent = 0;
        while (System.nanoTime() < limit && sent < 1000) {
            if (caller.call().isReady()) {
                caller.send(piece);
                sent++;
            } else {
                Thread.onSpinWait();
            }
        }

        assertThat(sent).as("pieces of 64 KiB taken from the caller").isLessThan(100);
        assertThat(asleep.end).isNull();
        other.say("x");
        await().atMost(SOON).until(() -> awake.text().equals("x"));
    }

    @Test
    void aCallThatNobodyTakesEndsAndSoDoOnesTooMany() throws Exception {
        Line line = attach("b");
        RelayParty unheard = dial(dialling("a", "b"));
        line.next();
        assertEnds(unheard, "did not take a relayed call");

        ManagedChannel channel = channel();
        List<RelayParty> callers = new ArrayList<>();
        for (int i = 0; i <= 256; i++) {
            RelayChunk dial = RelayChunk.newBuilder().setDial(dialling("a", "b")).build();
            callers.add(new RelayParty(channel, dial, true));
        }
        await().atMost(SOON)
                .until(() ->
                        callers.stream()
                                        .filter(c -> c.refusal().startsWith("RESOURCE_EXHAUSTED"))
                                        .count()
                                == 1);
    }

    @Test
    void aWorkerThatHangsUpIsNotRoutedToAndWaitingCallsEnd() throws Exception {
        ManagedChannel channel = channel();
        Line line = new Line();
        RelayGrpc.newStub(channel)
                .attach(
                        RelayAttachRequest.newBuilder()
                                .setWorkerId("b")
                                .setToken(token("b"))
                                .build(),
                        line);
        await().atMost(SOON).until(() -> !endpoint("b").isEmpty());
        RelayParty caller = dial(dialling("a", "b"));
        line.next();
        channel.shutdownNow();

        assertEnds(caller, "UNAVAILABLE");
        assertThat(endpoint("b")).isEmpty();
    }

    @Test
    void aNewerLineTakesThePlaceOfTheOlder() throws Exception {
        Line older = attach("b");
        Line newer = attach("b");
        await().atMost(SOON).until(() -> older.end.get() != null);
        dial(dialling("a", "b"));

        newer.next();
        assertThat(endpoint("b")).isNotEmpty();
    }

    @Test
    void reachFollowsTheDialAndTheLine() {
        long attachment = leases.attached("b", 0);
        assertThat(reach("b")).isEqualTo(Reach.DIRECT);
        leases.dialled("b", attachment, Reach.TESTING);
        assertThat(reach("b")).isEqualTo(Reach.TESTING);
        leases.dialled("b", attachment, Reach.UNREACHABLE);
        assertThat(reach("b")).isEqualTo(Reach.UNREACHABLE);
        attach("b");
        assertThat(reach("b")).isEqualTo(Reach.RELAYED);
        leases.dialled("b", attachment, Reach.DIRECT);
        assertThat(reach("b")).isEqualTo(Reach.DIRECT);
    }

    private Reach reach(String worker) {
        return presence(worker).reach();
    }
}
