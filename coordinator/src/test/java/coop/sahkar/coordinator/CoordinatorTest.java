package coop.sahkar.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.coordinator.routing.RouteWish;
import coop.sahkar.governance.Policy;
import coop.sahkar.governance.ledger.LedgerPolicy;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.CoordinatorMessage;
import coop.sahkar.proto.v1.GetManifestRequest;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.PublishReply;
import coop.sahkar.proto.v1.PublishRequest;
import coop.sahkar.proto.v1.TicketKey;
import coop.sahkar.proto.v1.WithdrawRequest;
import coop.sahkar.proto.v1.WorkerMessage;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CoordinatorTest {
    private static final Manifest TINY = Fixtures.manifest("tiny", 6);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Policy BRISK =
            new Policy(
                    8192,
                    64,
                    2048,
                    600_000,
                    3000,
                    200,
                    300,
                    1024,
                    256,
                    16 << 20,
                    8,
                    5_000,
                    60_000,
                    LedgerPolicy.DEFAULT);

    @TempDir Path directory;
    private Coordinator coordinator;
    private Server server;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws IOException {
        coordinator =
                Coordinator.start(
                        CoordinatorOptions.single("c1", directory.resolve("data"))
                                .withPolicy(BRISK));
        NettyServerBuilder builder =
                NettyServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        coordinator.services().forEach(builder::addService);
        server = builder.build().start();
        channel =
                NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                        .usePlaintext()
                        .build();
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        server.shutdownNow();
        coordinator.close();
    }

    @Test
    void publishesPlacesRoutesAndSigns() {
        String id = publish(3);
        List<FakeWorker> workers = workers("a", "b", "c");
        awaitReady();
        assertThat(coordinator.pool().state().placement().generation()).isEqualTo(1);
        Ticket ticket = draw("tiny", 100, Set.of()).ticket();
        assertThat(ticket.modelId()).isEqualTo(id);
        assertThat(ticket.epoch()).isEqualTo(1);
        assertThat(ticket.maxPositions()).isEqualTo(100);
        assertThat(ticket.stages()).extracting(RouteStage::workerId).containsExactly("a", "b", "c");
        SealedTicket sealed = draw(id, 0, Set.of());
        TicketKey key = workers.getFirst().assignment().getTicketKeys(0);
        Tickets.Opened opened =
                Tickets.open(
                        Tickets.toWire(sealed),
                        keyId -> Tickets.publicKey(key.getPublicKey().toByteArray()),
                        System.currentTimeMillis());
        assertThat(opened).isInstanceOf(Tickets.Valid.class);
        assertThat(sealed.ticket().maxPositions()).isEqualTo(512);
    }

    @Test
    void aRestartKeepsModelsAndPlacementAndMovesNothing() throws IOException {
        publish(3);
        workers("a", "b", "c");
        awaitReady();
        long generation = coordinator.pool().state().placement().generation();
        stop();
        start();
        assertThat(coordinator.models()).hasSize(1);
        assertThat(coordinator.models().getFirst().getReady()).isFalse();
        workers("c", "a", "b");
        awaitReady();
        assertThat(coordinator.pool().state().placement().generation()).isEqualTo(generation);
        assertThat(coordinator.pool().state().ticketKeys()).hasSize(1);
    }

    @Test
    void healsWhenAWorkerIsKilledAndWhenItReturns() {
        publish(3);
        List<FakeWorker> workers = workers("a", "b", "c");
        awaitReady();
        workers.get(1).breakOff();
        await().atMost(PATIENCE).until(() -> !coordinator.models().getFirst().getReady());
        awaitReady();
        assertThat(draw("tiny", 10, Set.of()).ticket().stages())
                .extracting(RouteStage::workerId)
                .containsExactly("a", "c");
        workers("b");
        await().atMost(PATIENCE)
                .until(() -> draw("tiny", 10, Set.of()).ticket().stages().size() == 3);
    }

    @Test
    void namesWhatIsMissing() {
        assertThat(problem("tiny", 1).kind()).isEqualTo(Problem.Kind.MODEL_NOT_FOUND);
        publish(0);
        Problem alone = problem("tiny", 1);
        assertThat(alone.kind()).isEqualTo(Problem.Kind.MODEL_INCOMPLETE);
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(problem("tiny", 1).message())
                                .isEqualTo(
                                        "No worker serves blocks 0 to 5 of tiny (6 in all)."
                                                + " tiny waits for workers: none is here."
                                                + " Start one with \"sahkar worker\"."));
        assertThat(problem("tiny", 513).kind()).isEqualTo(Problem.Kind.CONTEXT_LENGTH_EXCEEDED);
    }

    @Test
    void routesAroundWorkersAndRefusesWhenFull() {
        publish(0);
        workers("a", "b");
        awaitReady();
        await().atMost(PATIENCE)
                .until(() -> draw("tiny", 1, Set.of("a")).ticket().stages().size() == 1);
        assertThat(draw("tiny", 1, Set.of("a")).ticket().head().workerId()).isEqualTo("b");
        for (int i = 0; i < 4; i++) {
            if (ask("tiny", 500, Set.of("b")) instanceof RouteAnswer.None none) {
                assertThat(none.problem().kind()).isEqualTo(Problem.Kind.OVERLOADED);
                assertThat(none.problem().retryAfterMillis()).isPositive();
                return;
            }
        }
        throw new AssertionError("a cache of 1024 positions took four sessions of 500");
    }

    @Test
    void refusesWorkersThatSpeakGarbageOrAnotherVersionAndKeepsTheOthers() {
        publish(0);
        workers("good");
        awaitReady();
        FakeWorker old = new FakeWorker(channel, "old", 1, 99);
        FakeWorker garbled = new FakeWorker(channel, "no/slashes");
        FakeWorker twice = new FakeWorker(channel, "twice");
        twice.say(WorkerMessage.getDefaultInstance());
        await().atMost(PATIENCE).until(() -> old.ended && garbled.ended && twice.ended);
        assertThat(old.refusal()).contains("protocol 99");
        assertThat(garbled.refusal()).contains("worker_id").contains("no/slashes");
        assertThat(twice.refusal()).contains("empty message");
        assertThat(coordinator.models().getFirst().getReady()).isTrue();
        assertThat(coordinator.pool().state().workers()).doesNotContainKeys("old", "no/slashes");
    }

    @Test
    void anotherStreamOfTheSameWorkerReplacesTheFirst() {
        FakeWorker first = workers("a").getFirst();
        FakeWorker second = workers("a").getFirst();
        await().atMost(PATIENCE).until(() -> first.ended);
        assertThat(first.refusal()).contains("attached again");
        assertThat(second.ended).isFalse();
        assertThat(coordinator.status().getWorkers(0).getPresent()).isTrue();
    }

    @Test
    void aLeavingWorkerLeavesThePlacement() {
        publish(0);
        FakeWorker a = workers("a").getFirst();
        awaitReady();
        a.leave();
        await().atMost(PATIENCE)
                .until(() -> coordinator.pool().state().placement().assignments().isEmpty());
        assertThat(coordinator.status().getWorkers(0).getPresent()).isFalse();
    }

    @Test
    void oneThatLeavesServesUntilAnotherDoes() {
        publish(0);
        FakeWorker a = workers("a").getFirst();
        awaitReady();
        FakeWorker b = new FakeWorker(channel, "b", 1_000_000_000, Limits.PROTOCOL_VERSION, true);
        await().atMost(PATIENCE).until(() -> b.assignment().getShardsCount() == 1);
        a.leave();
        await().atMost(PATIENCE).until(() -> coordinator.status().getWorkers(0).getLeaving());
        await().atMost(PATIENCE)
                .during(Duration.ofSeconds(1))
                .until(() -> a.assignment().getShardsCount() == 1);
        assertThat(draw("tiny", 1, Set.of()).ticket().head().workerId()).isEqualTo("a");
        b.serve();
        await().atMost(PATIENCE).until(() -> a.assignment().getShardsCount() == 0);
        assertThat(draw("tiny", 1, Set.of()).ticket().head().workerId()).isEqualTo("b");
    }

    @Test
    void withdrawingDropsTheShards() {
        String id = publish(0);
        FakeWorker a = workers("a").getFirst();
        awaitReady();
        assertThat(models().getManifest(GetManifestRequest.newBuilder().setModelId(id).build()))
                .isEqualTo(TINY);
        models().withdraw(WithdrawRequest.newBuilder().setModel("tiny").build());
        await().atMost(PATIENCE).until(() -> a.assignment().getShardsCount() == 0);
        assertThatThrownBy(() ->
                        models().withdraw(WithdrawRequest.newBuilder().setModel("tiny").build()))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessage("NOT_FOUND: no model tiny is published");
    }

    @Test
    void refusesAManifestThatLiesWithASentence() {
        PublishRequest lie =
                PublishRequest.newBuilder()
                        .setManifest(TINY.toBuilder().setBlockCount(9))
                        .addSources("http://h/f")
                        .build();
        assertThatThrownBy(() -> models().publish(lie))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageStartingWith("INVALID_ARGUMENT: the manifest cannot be right: block 6");
    }

    @Test
    void refusesDirectoriesThatAreLockedForeignOrAnothers() throws IOException {
        Path data = directory.resolve("data");
        assertThatThrownBy(() -> Coordinator.start(CoordinatorOptions.single("c1", data)))
                .isInstanceOf(CoordinatorException.class)
                .hasMessageContaining("another coordinator is running");
        Path foreign = Files.createDirectory(directory.resolve("foreign"));
        Files.writeString(foreign.resolve("thesis.txt"), "years of work");
        assertThatThrownBy(() -> Coordinator.start(CoordinatorOptions.single("c1", foreign)))
                .isInstanceOf(CoordinatorException.class)
                .hasMessageContaining("it holds thesis.txt");
        assertThat(foreign.toFile().list()).containsExactly("thesis.txt");
        coordinator.close();
        assertThatThrownBy(() -> Coordinator.start(CoordinatorOptions.single("c2", data)))
                .isInstanceOf(CoordinatorException.class)
                .hasMessageContaining("belongs to the coordinator c1");
    }

    @Test
    void keepsTheTicketKeyToItsOwner() throws IOException {
        Path key = directory.resolve("data").resolve("ticket-key");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
                .isEqualTo("rw-------");
    }

    @Test
    void asksForTheWayToTheNextStageAndShowsWhatItIsTold() {
        publish(3);
        List<FakeWorker> workers = workers("a", "b", "c");
        awaitReady();
        await().atMost(PATIENCE)
                .untilAsserted(() -> {
                    assertThat(workers.getFirst().toMeasure()).containsExactly("b");
                    assertThat(workers.getLast().toMeasure()).containsExactly("a");
                });
        workers.getFirst().measured("b", 420);
        await().atMost(PATIENCE)
                .until(() -> coordinator.status().getWorkers(0).getLatenciesCount() == 1);
        assertThat(coordinator.status().getWorkers(0).getLatencies(0).getMicros()).isEqualTo(420);
        workers.getFirst().leave();
        workers.getFirst().breakOff();
        await().atMost(PATIENCE)
                .until(() -> coordinator.status().getWorkers(0).getLatenciesCount() == 0);
    }

    private String publish(int minStages) {
        PublishReply reply =
                models().publish(
                                PublishRequest.newBuilder()
                                        .setManifest(TINY)
                                        .addSources("http://host/tiny.gguf")
                                        .setMinStages(minStages)
                                        .build());
        assertThat(reply.getAlreadyPublished()).isFalse();
        return reply.getModelId();
    }

    private List<FakeWorker> workers(String... ids) {
        List<FakeWorker> workers =
                List.of(ids).stream().map(id -> new FakeWorker(channel, id)).toList();
        await().atMost(PATIENCE)
                .until(() ->
                        workers.stream()
                                .allMatch(w ->
                                        w.heard.stream().anyMatch(CoordinatorMessage::hasWelcome)));
        return workers;
    }

    private void awaitReady() {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> coordinator.models().getFirst().getReady());
    }

    private RouteAnswer ask(String model, int positions, Set<String> avoid) {
        RouteWish wish = new RouteWish(model, positions, avoid, List.of(), null, 0, "");
        return coordinator.routes().draw(wish);
    }

    private SealedTicket draw(String model, int positions, Set<String> avoid) {
        RouteAnswer answer = ask(model, positions, avoid);
        assertThat(answer).isInstanceOf(RouteAnswer.Found.class);
        return ((RouteAnswer.Found) answer).route().ticket();
    }

    private Problem problem(String model, int positions) {
        RouteAnswer answer = ask(model, positions, Set.of());
        assertThat(answer).isInstanceOf(RouteAnswer.None.class);
        return ((RouteAnswer.None) answer).problem();
    }

    private ModelsGrpc.ModelsBlockingStub models() {
        return ModelsGrpc.newBlockingStub(channel);
    }
}
