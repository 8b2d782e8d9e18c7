package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.RelayEndpoint;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.v1.ReachState;
import coop.sahkar.proto.v1.WorkerStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Workers that nobody can dial serve through the coordinator. */
class RelayIT {
    /** Every address 127.x.y.z is this machine, but the worker listens on 127.0.0.1 only. */
    private static final List<String> UNDIALLABLE = List.of("--advertise", "127.0.0.2");

    private static final List<String> EXACT = List.of("--codec", "F32");
    private static final int PIECES_BEFORE = 10;

    /** The spare and the worker in the private network are alike to the router. */
    private static final int MAX_ASKS = 10;

    @TempDir private Path scratch = Path.of("");
    private @Nullable TestPool running;

    /** An answer, who gave it, and the median time between two of its tokens. */
    private record Answer(String text, List<RouteStage> route, long medianMicros) {
        List<String> relayed() {
            return route.stream()
                    .filter(stage -> RelayEndpoint.relayed(stage.endpoint()))
                    .map(RouteStage::workerId)
                    .toList();
        }
    }

    @AfterEach
    void end() {
        pool().close();
    }

    @Test
    void aWorkerThatCannotBeDialledServesAndIsAvoidedWhereAnotherWillDo() throws Exception {
        running = TestPool.start(scratch);
        start("worker-1", List.of());
        start("worker-2", List.of());
        start("hidden", UNDIALLABLE);
        pool().awaitPresent(3);
        pool().publish(Distribution.bundledModel(), 3);

        assertThat(reach("worker-1")).isEqualTo(ReachState.REACH_STATE_DIRECT);
        assertThat(reach("hidden")).isEqualTo(ReachState.REACH_STATE_RELAYED);
        Answer relayed = ask(_ -> {});
        assertThat(relayed.relayed()).containsExactly("hidden");
        assertThat(status("hidden").getRelayedBytes()).isPositive();
        assertThat(status("worker-1").getRelayedBytes()).isZero();

        for (int i = 3; i <= 5; i++) {
            start("worker-" + i, List.of());
        }
        pool().awaitOnePartEach(6);
        Answer direct = ask(_ -> {});
        assertThat(direct.relayed()).isEmpty();
        assertThat(direct.text()).isEqualTo(relayed.text());
        System.out.printf(
                "median time of a token: %d µs on a direct ring, %d µs with one of three relayed%n",
                direct.medianMicros(), relayed.medianMicros());
    }

    @Test
    void relayedWorkersServeAllStagesAndASpareTakesOverFromEach() throws Exception {
        running = TestPool.start(scratch);
        for (int i = 1; i <= 6; i++) {
            start("worker-" + i, List.of("--relay", "always"));
        }
        pool().awaitPresent(6);
        pool().publish(Distribution.bundledModel(), 3);
        pool().awaitOnePartEach(6);

        Answer unbroken = ask(_ -> {});
        assertThat(unbroken.relayed()).hasSize(3);
        System.out.printf("median time of a token: %d µs, all relayed%n", unbroken.medianMicros());
        for (int stage = 0; stage < 3; stage++) {
            int victim = stage;
            Answer broken = ask(stream -> kill(stream.answering().orElseThrow().route(), victim));
            assertThat(broken.text()).as("stage %d killed", stage).isEqualTo(unbroken.text());
        }
    }

    @Test
    void aWorkerInAPrivateNetworkServesAndPullingItsCableIsARepairLikeAnyOther() throws Exception {
        assumeTrue(
                PrivateNetwork.possible(),
                "NOT TESTED: a private network needs root and iproute2 (ip netns)");
        try (PrivateNetwork network = PrivateNetwork.create()) {
            running = TestPool.start(scratch, PrivateNetwork.outside());
            List<String> here =
                    List.of(
                            "--listen",
                            PrivateNetwork.outside() + ":0",
                            "--expose-without-encryption");
            start("worker-1", here);
            start("worker-2", here);
            pool().startWorkerIn(network::inside, "hidden", EXACT.toArray(String[]::new));
            pool().awaitPresent(3);
            pool().publish(Distribution.bundledModel(), 3);
            assertThat(reach("hidden")).isEqualTo(ReachState.REACH_STATE_RELAYED);
            Answer unbroken = ask(_ -> {});
            assertThat(unbroken.relayed()).containsExactly("hidden");

            List<String> spare = new ArrayList<>(here);
            spare.addAll(List.of("--relay", "always"));
            for (int i = 3; i <= 5; i++) {
                start("worker-" + i, spare);
            }
            pool().awaitOnePartEach(6);
            AtomicLong struck = new AtomicLong();
            for (int i = 0; i < MAX_ASKS && struck.get() == 0; i++) {
                Answer answer = ask(stream -> cutIfUsed(network, stream, struck));
                assertThat(answer.text()).isEqualTo(unbroken.text());
            }
            assertThat(struck.get()).as("an answer went through the private network").isPositive();
            System.out.printf(
                    "cable pulled: the answer was whole %d ms later%n",
                    (System.nanoTime() - struck.get()) / 1_000_000);
        }
    }

    private static void cutIfUsed(
            PrivateNetwork network, TokenStream stream, AtomicLong struckNanos) {
        boolean used =
                stream.answering().orElseThrow().route().stream()
                        .anyMatch(stage -> stage.workerId().equals("hidden"));
        if (used) {
            struckNanos.set(System.nanoTime());
            cut(network);
        }
    }

    private static void cut(PrivateNetwork network) {
        try {
            network.cut();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void kill(List<RouteStage> route, int stage) {
        try {
            pool().node(route.get(stage).workerId()).kill();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void start(String id, List<String> more) throws Exception {
        List<String> arguments = new ArrayList<>(EXACT);
        arguments.addAll(more);
        pool().startWorker(id, arguments.toArray(String[]::new));
    }

    private Answer ask(Consumer<TokenStream> midway) {
        StringBuilder text = new StringBuilder();
        List<Long> times = new ArrayList<>();
        List<RouteStage> route = List.of();
        int next = -1;
        try (TokenStream stream = pool().client().stream(Questions.steady(pool().model()))) {
            while (stream.hasNext()) {
                TextPiece piece = stream.next();
                assertThat(next < 0 || piece.position() == next).as("no token twice").isTrue();
                next = piece.position() + piece.tokens();
                text.append(piece.text());
                times.add(System.nanoTime());
                if (times.size() == PIECES_BEFORE) {
                    route = stream.answering().orElseThrow().route();
                    midway.accept(stream);
                }
            }
        }
        return new Answer(text.toString(), route, medianMicros(times));
    }

    private static long medianMicros(List<Long> times) {
        long[] gaps = new long[times.size() - 1];
        Arrays.setAll(gaps, i -> times.get(i + 1) - times.get(i));
        Arrays.sort(gaps);
        return gaps[gaps.length / 2] / 1000;
    }

    private ReachState reach(String worker) {
        return status(worker).getReach();
    }

    private WorkerStatus status(String worker) {
        return pool().status().getWorkersList().stream()
                .filter(status -> status.getHello().getWorkerId().equals(worker))
                .findFirst()
                .orElseThrow();
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }
}
