package coop.sahkar.worker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.CoordinatorMessage;
import coop.sahkar.proto.v1.MeasurePeers;
import coop.sahkar.proto.v1.Problem;
import coop.sahkar.proto.v1.ProblemCode;
import coop.sahkar.proto.v1.Reachability;
import coop.sahkar.proto.v1.Revocations;
import coop.sahkar.proto.v1.Welcome;
import coop.sahkar.proto.v1.WorkerControlGrpc;
import coop.sahkar.proto.v1.WorkerMessage;
import coop.sahkar.proto.v1.WorkerReport;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ControlLinksTest {
    private static final ControlPace QUICK =
            new ControlPace(new Backoff(5, 20), new Backoff(5, 20));
    private static final WorkerSelf SELF =
            new WorkerSelf(
                    "w-test",
                    "127.0.0.1:1",
                    "0.1",
                    "llama.cpp b1",
                    1000,
                    2000,
                    3,
                    Relaying.NEVER,
                    "carol");

    private final FakeCoordinator coordinator = new FakeCoordinator("c1");
    private final FakeCoordinator second = new FakeCoordinator("c2");
    private final Heard heard = new Heard();
    private final AtomicLong generation = new AtomicLong();
    private final ControlLinks links =
            new ControlLinks(
                    SELF.hello(),
                    () -> WorkerReport.newBuilder().setGeneration(generation.get()),
                    heard,
                    QUICK,
                    new Random(1),
                    Transport.OPEN);

    @BeforeEach
    void start() throws IOException {
        coordinator.start(0);
        second.start(0);
    }

    @AfterEach
    void stop() throws InterruptedException {
        links.close();
        coordinator.stop();
        second.stop();
    }

    private static final class Heard implements ControlEvents {
        @Override
        public void revoked(String coordinator, Revocations revocations) {}

        final List<String> welcomed = new CopyOnWriteArrayList<>();
        final List<Assignment> assigned = new CopyOnWriteArrayList<>();
        final List<String> tokens = new CopyOnWriteArrayList<>();
        final List<Optional<String>> dialled = new CopyOnWriteArrayList<>();
        final List<String> detached = new CopyOnWriteArrayList<>();

        @Override
        public void known(String coordinator, ByteString relayToken) {
            tokens.add(relayToken.toStringUtf8());
        }

        @Override
        public void dialled(String coordinator, Optional<String> fault) {
            dialled.add(fault);
        }

        @Override
        public void welcomed(String coordinator, Welcome welcome) {
            welcomed.add(welcome.getCoordinatorId());
        }

        @Override
        public void assigned(String coordinator, Assignment assignment) {
            assigned.add(assignment);
        }

        @Override
        public void measure(String coordinator, MeasurePeers measure) {}

        @Override
        public void coordinators(String coordinator, List<String> gateways) {}

        @Override
        public void detached(String coordinator, String why) {
            detached.add(why);
        }
    }

    /** A coordinator that answers as it is told. */
    private static final class FakeCoordinator extends WorkerControlGrpc.WorkerControlImplBase {
        final String id;
        final List<WorkerMessage> received = new CopyOnWriteArrayList<>();
        final List<StreamObserver<CoordinatorMessage>> streams = new CopyOnWriteArrayList<>();
        volatile int reportMillis = 60_000;
        volatile int speaks = ProtocolVersions.ours().getSpeaks();
        volatile String refusal = "";
        volatile ProblemCode refusalCode = ProblemCode.PROBLEM_CODE_OVERLOADED;
        volatile List<String> names = List.of();
        private @Nullable Server server;
        private int port;

        FakeCoordinator(String id) {
            this.id = id;
        }

        void start(int wanted) throws IOException {
            Server started =
                    NettyServerBuilder.forAddress(
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted))
                            .addService(this)
                            .build()
                            .start();
            server = started;
            port = started.getPort();
        }

        void stop() throws InterruptedException {
            Objects.requireNonNull(server).shutdownNow().awaitTermination();
        }

        String address() {
            return "127.0.0.1:" + port;
        }

        void send(CoordinatorMessage.Builder message) {
            streams.getLast().onNext(message.build());
        }

        long count(WorkerMessage.MessageCase what) {
            return received.stream().filter(m -> m.getMessageCase() == what).count();
        }

        @Override
        public StreamObserver<WorkerMessage> attach(StreamObserver<CoordinatorMessage> out) {
            return new StreamObserver<>() {
                @Override
                public void onNext(WorkerMessage message) {
                    received.add(message);
                    if (message.hasHello()) {
                        out.onNext(answer());
                        streams.add(out);
                        if (!refusal.isEmpty()) {
                            out.onCompleted();
                        }
                    }
                }

                @Override
                public void onError(Throwable failure) {}

                @Override
                public void onCompleted() {
                    if (refusal.isEmpty()) {
                        out.onCompleted();
                    }
                }
            };
        }

        private CoordinatorMessage answer() {
            if (!refusal.isEmpty()) {
                return CoordinatorMessage.newBuilder()
                        .setRefused(Problem.newBuilder().setCode(refusalCode).setMessage(refusal))
                        .build();
            }
            return CoordinatorMessage.newBuilder()
                    .setWelcome(
                            Welcome.newBuilder()
                                    .setProtocol(
                                            ProtocolVersions.ours().toBuilder()
                                                    .setSpeaks(speaks)
                                                    .setUnderstandsFrom(speaks))
                                    .setCoordinatorId(id)
                                    .setReportIntervalMillis(reportMillis)
                                    .setRelayToken(ByteString.copyFromUtf8("proof"))
                                    .addAllCoordinators(names))
                    .build();
        }
    }

    @Test
    void saysHelloThenReportsAndHearsAssignments() {
        coordinator.reportMillis = 50;
        links.start(List.of(coordinator.address()));
        await().until(() -> coordinator.count(WorkerMessage.MessageCase.REPORT) >= 3);
        assertThat(coordinator.received.getFirst().getHello()).isEqualTo(SELF.hello());
        List<Long> sequences =
                coordinator.received.stream()
                        .filter(WorkerMessage::hasReport)
                        .map(m -> m.getReport().getSequence())
                        .limit(3)
                        .toList();
        assertThat(sequences).containsExactly(1L, 2L, 3L);
        Assignment assignment = Assignment.newBuilder().setGeneration(5).build();
        coordinator.send(CoordinatorMessage.newBuilder().setAssignment(assignment));
        await().untilAsserted(() -> assertThat(heard.assigned).containsExactly(assignment));
    }

    @Test
    void hearsWhetherItIsReachedAndWhatProvesItToTheRelay() {
        links.start(List.of(coordinator.address()));
        await().until(() -> !heard.welcomed.isEmpty());
        assertThat(heard.tokens).containsExactly("proof");
        coordinator.send(
                CoordinatorMessage.newBuilder()
                        .setReachability(Reachability.newBuilder().setReason("nobody answers")));
        coordinator.send(
                CoordinatorMessage.newBuilder()
                        .setReachability(Reachability.newBuilder().setReachable(true)));
        await().untilAsserted(() ->
                assertThat(heard.dialled)
                        .containsExactly(Optional.of("nobody answers"), Optional.empty()));
    }

    @Test
    void reportsAtOnceWhenSomethingChanges() {
        links.start(List.of(coordinator.address()));
        await().until(() -> coordinator.count(WorkerMessage.MessageCase.REPORT) == 1);
        generation.set(9);
        links.changed();
        await().until(() -> coordinator.count(WorkerMessage.MessageCase.REPORT) == 2);
        assertThat(coordinator.received.getLast().getReport().getGeneration()).isEqualTo(9);
    }

    @Test
    void comesBackWhenTheCoordinatorWasAwayForAWhile() throws Exception {
        links.start(List.of(coordinator.address()));
        await().until(() -> heard.welcomed.size() == 1);
        coordinator.stop();
        await().until(() -> heard.detached.size() >= 3);
        coordinator.start(coordinator.port);
        await().until(() -> heard.welcomed.size() == 2);
        await().until(() -> coordinator.count(WorkerMessage.MessageCase.HELLO) == 2);
    }

    @Test
    void attachesToTheOthersThatACoordinatorNames() {
        coordinator.names = List.of(coordinator.address(), second.address());
        links.start(List.of(coordinator.address()));
        await().untilAsserted(
                        () -> assertThat(heard.welcomed).containsExactlyInAnyOrder("c1", "c2"));
        assertThat(links.known()).containsExactly(coordinator.address(), second.address());
    }

    @Test
    void keepsOneLinkToACoordinatorOfTwoNames() {
        coordinator.names = List.of("localhost:" + coordinator.port);
        links.start(List.of(coordinator.address()));
        // The newer one: a coordinator that a worker attaches to anew hangs up on the older.
        await().untilAsserted(() ->
                assertThat(links.known()).containsExactly("localhost:" + coordinator.port));
        await().until(() -> coordinator.count(WorkerMessage.MessageCase.REPORT) == 2);
        links.changed();
        await().until(() -> coordinator.count(WorkerMessage.MessageCase.REPORT) == 3);
        assertThat(heard.welcomed).containsExactly("c1", "c1");
        assertThat(heard.detached).isEmpty();
    }

    @Test
    void keepsAskingACoordinatorThatRefusedIt() {
        coordinator.refusal = "this worker is banned until Tuesday";
        links.start(List.of(coordinator.address()));
        await().until(() -> heard.detached.size() >= 2);
        assertThat(heard.detached.getFirst()).contains("banned until Tuesday");
        coordinator.refusal = "";
        await().until(() -> heard.welcomed.size() == 1);
    }

    @Test
    void comesBackSoonToACoordinatorThatHadNoLeader() {
        ControlPace slow = new ControlPace(new Backoff(5, 20), new Backoff(600_000, 600_000));
        try (ControlLinks patient =
                new ControlLinks(
                        SELF.hello(),
                        WorkerReport::newBuilder,
                        heard,
                        slow,
                        new Random(1),
                        Transport.OPEN)) {
            coordinator.refusalCode = ProblemCode.PROBLEM_CODE_NOT_LEADER;
            coordinator.refusal = "the worker cannot be registered now";
            patient.start(List.of(coordinator.address()));
            await().until(() -> heard.detached.size() >= 2);
            coordinator.refusal = "";
            await().until(() -> heard.welcomed.size() == 1);
        }
    }

    @Test
    void takesNoWelcomeOfAProtocolItDoesNotSpeak() {
        coordinator.speaks = 99;
        links.start(List.of(coordinator.address()));
        await().until(() -> !heard.detached.isEmpty());
        assertThat(heard.detached.getFirst()).contains("upgrade");
        assertThat(heard.welcomed).isEmpty();
    }

    @Test
    void saysGoodbye() {
        links.start(List.of(coordinator.address()));
        await().until(() -> heard.welcomed.size() == 1);
        links.leave("the donor needs the machine");
        await().until(() -> coordinator.count(WorkerMessage.MessageCase.LEAVING) == 1);
        assertThat(coordinator.received.getLast().getLeaving().getReason())
                .isEqualTo("the donor needs the machine");
    }

    @Test
    void goesOnWithoutAnyCoordinator() throws Exception {
        coordinator.stop();
        links.start(List.of(coordinator.address()));
        await().until(() -> heard.detached.size() >= 2);
        assertThat(heard.detached.getFirst()).contains("not reached");
    }
}
