package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.deploy.network.SmallInternet;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.v1.RepairStatus;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Workers on machines of their own, whose network fails in the middle of an answer: cables are
 * pulled, packets vanish in one direction, bytes take their time; and processes are killed and
 * stopped there, too. The reader gets the whole answer, each token once, after a bounded pause.
 */
class NetworkFaultIT {
    private static final int PIECES_BEFORE = 10;
    private static final long DELAY_MILLIS = 25;
    private static final int OTHER_READERS = 3;

    /** Each may find one more way that does not work. */
    private static final int MOST_ANSWERS_THAT_NOTICE = 3;

    private static final int FIRST_PORT = 7401;

    /** Silence of 300 ms, a probe, a nudge and one more look: seconds on a busy machine. */
    private static final Duration PAUSE_BOUND = Duration.ofSeconds(15);

    @TempDir private Path scratch = Path.of("");

    /** An answer, and how it fared after the blow. */
    private record Answer(String before, String text, List<Long> atNanos, long struckNanos) {
        long pauseMillis() {
            long longest = 0;
            for (int i = 1; i < atNanos.size(); i++) {
                if (atNanos.get(i) > struckNanos) {
                    longest = Math.max(longest, atNanos.get(i) - atNanos.get(i - 1));
                }
            }
            return TimeUnit.NANOSECONDS.toMillis(longest);
        }

        long perTokenMillis() {
            List<Long> gaps = new ArrayList<>();
            for (int i = 1; i < atNanos.size(); i++) {
                gaps.add(atNanos.get(i) - atNanos.get(i - 1));
            }
            return TimeUnit.NANOSECONDS.toMillis(
                    gaps.stream().sorted().skip(gaps.size() / 2).findFirst().orElseThrow());
        }
    }

    private interface Blow {
        void fall(List<String> route) throws Exception;
    }

    @BeforeEach
    void needsNetworks() {
        NetworksHere.orSkip("faults of the network");
    }

    private interface Fight {
        void with(Battery battery) throws Exception;
    }

    @Test
    void anAnswerOutlivesWhateverTheNetworkDoes() throws Exception {
        fight(battery -> {
            battery.cables();
            battery.oneWay();
            battery.gateway();
            battery.processes();
        });
    }

    @Test
    void inANetworkThatStaysBrokenOnlyTheFirstAnswersNotice() throws Exception {
        fight(battery -> {
            battery.lasting();
            battery.crowd();
        });
    }

    private void fight(Fight fight) throws Exception {
        try (SmallInternet internet = SmallInternet.create();
                TestPool pool = TestPool.start(scratch, internet.here())) {
            for (int i = 1; i <= 6; i++) {
                internet.join("worker-" + i);
                start(pool, internet, "worker-" + i);
            }
            pool.awaitPresent(6);
            pool.publish(Distribution.bundledModel(), 3);
            awaitSix(pool);
            String unbroken = ask(pool, _ -> {}).text();
            fight.with(new Battery(pool, internet, unbroken));
        } catch (Exception | Error e) {
            System.err.println("the pool's folder was " + scratch);
            throw e;
        }
    }

    @Test
    void aDelayIsNoFault() throws Exception {
        List<LongWay> ways = new ArrayList<>();
        try (SmallInternet internet = SmallInternet.create();
                TestPool pool = TestPool.start(scratch, internet.here())) {
            for (int i = 1; i <= 3; i++) {
                String id = "worker-" + i;
                internet.join(id);
                int port = FIRST_PORT + i;
                ways.add(
                        LongWay.open(
                                internet.here(),
                                new InetSocketAddress(internet.address(id), port)));
                start(pool, internet, id, port, "--advertise", internet.here());
            }
            pool.awaitPresent(3);
            pool.publish(Distribution.bundledModel(), 3);
            String unbroken = ask(pool, _ -> {}).text();

            Answer delayed = ask(pool, _ -> ways.forEach(way -> way.takes(DELAY_MILLIS)));
            Answer slow = ask(pool, _ -> {});

            System.out.printf(
                    "delay of %d ms each way: longest pause %d ms, then a token in %d ms%n",
                    DELAY_MILLIS, delayed.pauseMillis(), slow.perTokenMillis());
            assertThat(delayed.text()).isEqualTo(unbroken);
            assertThat(slow.text()).isEqualTo(unbroken);
            assertThat(slow.perTokenMillis()).isGreaterThanOrEqualTo(3 * DELAY_MILLIS);
            assertThat(pool.status().getRepairs().getLastList()).isEmpty();
        } finally {
            for (LongWay way : ways) {
                way.close();
            }
        }
    }

    /** All faults, one after the other, each with all six workers well. */
    private record Battery(TestPool pool, SmallInternet internet, String unbroken) {
        void cables() throws Exception {
            for (int stage = 0; stage < 3; stage++) {
                int victim = stage;
                assertThat(
                                strike(
                                        "cable of stage " + stage,
                                        route -> internet.pull(route.get(victim))))
                        .isPositive();
            }
        }

        void oneWay() throws Exception {
            for (int stage = 0; stage < 3; stage++) {
                int from = stage;
                int to = (stage + 1) % 3;
                assertThat(
                                strike(
                                        "drop %d → %d".formatted(from, to),
                                        route -> internet.drop(route.get(from), route.get(to))))
                        .isPositive();
                strike(
                        "drop %d → %d".formatted(to, from),
                        route -> internet.drop(route.get(to), route.get(from)));
            }
        }

        /** What is broken stays so: the next answers begin in a broken network. */
        void lasting() throws Exception {
            lasts("cable of stage 0 stays out", route -> internet.pull(route.getFirst()));
            lasts("drop 1 → 2 stays", route -> internet.drop(route.get(1), route.get(2)));
            lasts("drop 2 → 1 stays", route -> internet.drop(route.get(2), route.get(1)));
        }

        /** Once a repair has told where the network is broken, answers keep away from there. */
        private void lasts(String what, Blow blow) throws Exception {
            calm();
            Answer struck = ask(pool, blow);
            int found = report(what, struck, struck.struckNanos(), 0);
            assertWhole(what, struck);
            int repairs = found;
            for (int i = 1; i <= MOST_ANSWERS_THAT_NOTICE; i++) {
                long began = System.nanoTime();
                Answer next = ask(pool, _ -> {});
                long tookMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                String name = what + ", answer " + i + " after it";
                repairs = report(name, next, began, 0);
                found += repairs;
                assertWhole(name, next);
                assertThat(tookMillis).as(name).isLessThan(PAUSE_BOUND.toMillis());
            }
            internet.heal();
            assertThat(found == 0 || repairs == 0).as("%s: the last keeps away", what).isTrue();
        }

        /** Several readers at once. */
        void crowd() throws Exception {
            calm();
            try (ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
                List<Future<Answer>> others = new ArrayList<>();
                for (int i = 0; i < OTHER_READERS; i++) {
                    others.add(readers.submit(() -> ask(pool, _ -> {})));
                }
                Answer struck = ask(pool, route -> internet.pull(route.get(1)));
                for (Future<Answer> other : others) {
                    assertThat(other.get().text()).isEqualTo(unbroken);
                }
                internet.heal();
                report(
                        "cable of stage 1, %d readers".formatted(OTHER_READERS + 1),
                        struck,
                        struck.struckNanos(),
                        0);
                assertWhole("cable among many", struck);
            }
        }

        private void assertWhole(String what, Answer answer) {
            assertThat(unbroken).as(what).startsWith(answer.before());
            assertThat(answer.text()).as(what).isEqualTo(unbroken);
        }

        private void calm() {
            awaitSix(pool);
            await().atMost(TestPool.SOON).until(pool::idle);
        }

        void gateway() throws Exception {
            assertThat(strike("drop 0 → gateway", route -> internet.dropToHere(route.getFirst())))
                    .isPositive();
            strike("drop gateway → 0", route -> internet.dropFromHere(route.getFirst()));
        }

        void processes() throws Exception {
            List<String> stopped = new ArrayList<>();
            assertThat(
                            strike(
                                    "SIGSTOP of stage 1",
                                    route -> {
                                        stopped.add(route.get(1));
                                        pool.node(route.get(1)).signal("STOP");
                                    }))
                    .isPositive();
            pool.node(stopped.getFirst()).signal("CONT");
            assertThat(strike("kill -9 of stage 1", route -> pool.node(route.get(1)).kill()))
                    .isPositive();
        }

        /**
         * Strikes in the middle of an answer. Gives how many repairs were asked for: where only
         * what TCP sends back vanishes, an answer may end before anybody notices.
         */
        private int strike(String what, Blow blow) throws Exception {
            long began = System.nanoTime();
            calm();
            long calm = System.nanoTime();
            Answer answer = ask(pool, blow);
            int repairs =
                    report(
                            what,
                            answer,
                            answer.struckNanos(),
                            TimeUnit.NANOSECONDS.toMillis(calm - began));
            internet.heal();
            assertWhole(what, answer);
            assertThat(answer.pauseMillis()).as(what).isLessThan(PAUSE_BOUND.toMillis());
            return repairs;
        }

        private int report(String what, Answer answer, long sinceNanos, long calmMillis) {
            List<RepairStatus> repairs = pool.status().getRepairs().getLastList();
            long sinceMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sinceNanos);
            StringBuilder found = new StringBuilder();
            int count = 0;
            for (RepairStatus repair : repairs.reversed()) {
                if (repair.getAgoMillis() < sinceMillis) {
                    count++;
                    found.append(
                            "; found after %d ms: %s %s"
                                    .formatted(
                                            sinceMillis - repair.getAgoMillis(),
                                            repair.getLostWorkersList(),
                                            repair.getCause()));
                }
            }
            System.out.printf(
                    "%s: pause %d ms%s (calm after %d ms)%n",
                    what, answer.pauseMillis(), found, calmMillis);
            return count;
        }
    }

    private static void awaitSix(TestPool pool) {
        pool.awaitOnePartEach(6);
    }

    private static void start(TestPool pool, SmallInternet internet, String id) throws Exception {
        start(pool, internet, id, 0);
    }

    private static void start(
            TestPool pool, SmallInternet internet, String id, int port, String... more)
            throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--codec", "F32"));
        arguments.addAll(List.of("--listen", internet.address(id) + ":" + port));
        arguments.add("--expose-without-encryption");
        arguments.addAll(List.of(more));
        pool.startWorkerIn(
                command -> internet.inside(id, command), id, arguments.toArray(String[]::new));
    }

    private static Answer ask(TestPool pool, Blow blow) throws Exception {
        StringBuilder text = new StringBuilder();
        List<Long> times = new ArrayList<>();
        int next = -1;
        String before = "";
        long struck = System.nanoTime();
        try (TokenStream stream = pool.client().stream(Questions.steady(pool.model()))) {
            while (stream.hasNext()) {
                TextPiece piece = stream.next();
                assertThat(next < 0 || piece.position() == next).as("each token once").isTrue();
                next = piece.position() + piece.tokens();
                text.append(piece.text());
                times.add(System.nanoTime());
                if (times.size() == PIECES_BEFORE) {
                    struck = System.nanoTime();
                    before = text.toString();
                    blow.fall(
                            stream.answering().orElseThrow().route().stream()
                                    .map(RouteStage::workerId)
                                    .toList());
                }
            }
        }
        return new Answer(before, text.toString(), times, struck);
    }
}
