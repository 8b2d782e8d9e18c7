package coop.sahkar.deploy.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.placement.PoolSight;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.StageMessage.Token;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SimulationTest {
    /** About a second each, on all processors; longer ranges are for {@code sahkar simulate}. */
    private static final int SEEDS = 40;

    private static final int ROUGH_SEEDS = 80;

    private static final long SEED = 98;

    /** In one of so many worlds the only holder of a part leaves. */
    private static final int LEAVERS_SEEDS = 32;

    /** A world in which no worker stays away until too many placements wait for it. */
    private static final long STEADY_SEED = 105;

    /** A world in which one worker alone does not hold a model. */
    private static final long SEVERAL_STAGES_SEED = 99;

    @Test
    void manyWorldsKeepEveryPromise() {
        allKeepEveryPromise(SEEDS, Scenario::small);
    }

    @Test
    void answersThatAreHitAgainAndAgainLoseNoToken() {
        allKeepEveryPromise(ROUGH_SEEDS, Scenario::rough);
    }

    private static void allKeepEveryPromise(int seeds, LongFunction<Scenario> scenario) {
        List<String> failures = Collections.synchronizedList(new ArrayList<>());
        LongStream.rangeClosed(1, seeds)
                .parallel()
                .forEach(seed -> {
                    try {
                        SimulationReport report = Simulation.run(scenario.apply(seed), _ -> {});
                        assertThat(report.events()).isGreaterThan(1000);
                    } catch (SimulationFailure failure) {
                        failures.add(failure.getMessage());
                    }
                });
        assertThat(failures.stream().limit(3)).as("%d failed", failures.size()).isEmpty();
    }

    @Test
    void aWorldOfManyWorkersKeepsEveryPromise() {
        SimulationReport report = Simulation.run(Scenario.sized(1, 150, 5, 0.1), _ -> {});
        assertThat(report.finished()).isGreaterThan(100);
        assertThat(report.repaired()).isPositive();
        assertThat(report.text()).contains("generations", "gaps", "trace");
    }

    @Test
    void theSameSeedGivesTheSameRunInAnyJvm() throws IOException, InterruptedException {
        String here = Long.toHexString(hashOfOneRun());
        assertThat(inAnotherJvm()).isEqualTo(here);
        SimulationReport other = Simulation.run(Scenario.small(SEED + 1), _ -> {});
        assertThat(Long.toHexString(other.traceHash())).isNotEqualTo(here);
    }

    @Test
    void aPlannerThatTakesTheLastHolderIsCaught() {
        assertThatThrownBy(() -> spoiled(SimulationTest::withoutTheFirst))
                .isInstanceOf(SimulationFailure.class)
                .hasMessageContaining("before its replacement is made")
                .hasMessageContaining("seed " + SEED)
                .hasMessageContaining("what led to it");
    }

    @Test
    void aPlannerThatSendsLeaversAwayAtOnceIsCaught() {
        Supplier<Planning> hasty =
                () ->
                        new Spoiled(Planning.production(), UnaryOperator.identity()) {
                            @Override
                            public List<Command> decide(PoolSight sight) {
                                return super.decide(sight).stream()
                                        .map(command -> withoutLeavers(command, sight))
                                        .toList();
                            }
                        };
        assertThat(
                        LongStream.range(SEED, SEED + LEAVERS_SEEDS)
                                .mapToObj(seed -> fault(seed, hasty)))
                .anyMatch(said -> said.contains("lets a leaver go before others serve"));
    }

    /** What a run says that fails; empty if it does not. */
    private static String fault(long seed, Supplier<Planning> planning) {
        try {
            Simulation.run(Scenario.small(seed), _ -> {}, planning, Carrier.HONEST);
            return "";
        } catch (SimulationFailure failure) {
            return String.valueOf(failure.getMessage());
        }
    }

    private static Command withoutLeavers(Command command, PoolSight sight) {
        if (!(command instanceof AdoptPlacement(Placement p))) {
            return command;
        }
        SortedMap<String, List<AssignedShard>> staying = new TreeMap<>(p.assignments());
        staying.keySet()
                .removeIf(worker -> {
                    WorkerPresence presence = sight.presence().get(worker);
                    return presence != null && presence.standing() == Standing.LEAVING;
                });
        return new AdoptPlacement(new Placement(p.generation(), p.parent(), staying));
    }

    @Test
    void aPlannerThatLendsMemoryTwiceIsCaught() {
        assertThatThrownBy(() -> spoiled(SimulationTest::withEverythingTwice))
                .isInstanceOf(SimulationFailure.class)
                .hasMessageContaining("more than it lends");
    }

    @Test
    void aPlannerThatDoesNothingIsCaught() {
        Supplier<Planning> idle =
                () ->
                        new Spoiled(Planning.production(), UnaryOperator.identity()) {
                            @Override
                            public List<Command> decide(PoolSight sight) {
                                return List.of();
                            }
                        };
        assertThatThrownBy(
                        () -> Simulation.run(Scenario.small(SEED), _ -> {}, idle, Carrier.HONEST))
                .isInstanceOf(SimulationFailure.class)
                .hasMessageContaining("has a gap, there is memory for it");
    }

    @Test
    void aPlannerThatNeverRestsIsCaught() {
        Supplier<Planning> restless =
                () -> {
                    Planning planning = Planning.production();
                    return new Spoiled(planning, UnaryOperator.identity()) {
                        @Override
                        public List<Command> decide(PoolSight sight) {
                            List<Command> proposals = super.decide(sight);
                            boolean adds = proposals.isEmpty() && sight.leads();
                            return adds ? List.of(sameAgain(sight)) : proposals;
                        }
                    };
                };
        assertThatThrownBy(() ->
                        Simulation.run(
                                Scenario.small(STEADY_SEED), _ -> {}, restless, Carrier.HONEST))
                .isInstanceOf(SimulationFailure.class)
                .hasMessageContaining("the placement still changes");
    }

    @Test
    void aTokenThatIsAnotherOnItsWayIsCaught() {
        Carrier liar =
                message ->
                        message instanceof StageMessage.Tokens(List<Token> tokens)
                                ? new StageMessage.Tokens(
                                        tokens.stream().map(SimulationTest::another).toList())
                                : message;
        assertThatThrownBy(() -> carried(liar))
                .isInstanceOf(SimulationFailure.class)
                .hasMessageContaining("where the model gives")
                .hasMessageContaining("what led to it");
    }

    private static Token another(Token token) {
        return new Token(token.session(), token.epoch(), token.position(), 1 + token.token() % 50);
    }

    @Test
    void anAnswerThatNeverComesAlthoughAllIsWellIsCaught() {
        Carrier deaf = message -> message instanceof StageMessage.Tokens ? null : message;
        assertThatThrownBy(() -> carried(deaf))
                .isInstanceOf(SimulationFailure.class)
                .hasMessageContaining("the world has healed, and session");
    }

    private static void carried(Carrier carrier) {
        Simulation.run(Scenario.rough(SEVERAL_STAGES_SEED), _ -> {}, Planning::production, carrier);
    }

    private static AdoptPlacement sameAgain(PoolSight sight) {
        Placement now = sight.state().placement();
        return new AdoptPlacement(
                new Placement(now.generation() + 1, now.generation(), now.assignments()));
    }

    private static void spoiled(UnaryOperator<SortedMap<String, List<AssignedShard>>> how) {
        Simulation.run(
                Scenario.small(SEED),
                _ -> {},
                () -> new Spoiled(Planning.production(), how),
                Carrier.HONEST);
    }

    /** From the second placement on, nobody holds the first model's first block. */
    private static SortedMap<String, List<AssignedShard>> withoutTheFirst(
            SortedMap<String, List<AssignedShard>> plan) {
        SortedMap<String, List<AssignedShard>> without = new TreeMap<>();
        plan.forEach((worker, shards) ->
                without.put(worker, shards.stream().filter(s -> !s.span().isHead()).toList()));
        return without;
    }

    private static SortedMap<String, List<AssignedShard>> withEverythingTwice(
            SortedMap<String, List<AssignedShard>> plan) {
        List<AssignedShard> all = plan.values().stream().flatMap(List::stream).distinct().toList();
        SortedMap<String, List<AssignedShard>> twice = new TreeMap<>();
        plan.keySet().forEach(worker -> twice.put(worker, all));
        return twice;
    }

    /** The production planner with its plans changed once a first placement stands. */
    private static class Spoiled implements Planning {
        private static final int SPOILED_FROM = 5;

        private final Planning planning;
        private final UnaryOperator<SortedMap<String, List<AssignedShard>>> how;

        Spoiled(Planning planning, UnaryOperator<SortedMap<String, List<AssignedShard>>> how) {
            this.planning = planning;
            this.how = how;
        }

        @Override
        public List<Command> decide(PoolSight sight) {
            return planning.decide(sight).stream().map(this::spoil).toList();
        }

        private Command spoil(Command command) {
            if (command instanceof AdoptPlacement(Placement p) && p.generation() >= SPOILED_FROM) {
                return new AdoptPlacement(
                        new Placement(p.generation(), p.parent(), how.apply(p.assignments())));
            }
            return command;
        }

        @Override
        public long plansMade() {
            return planning.plansMade();
        }

        @Override
        public SortedMap<String, String> shortfalls() {
            return planning.shortfalls();
        }
    }

    /** Prints the trace's hash of one run. */
    static final class OneRun {
        private OneRun() {}

        public static void main(String[] args) {
            System.out.println(Long.toHexString(hashOfOneRun()));
        }
    }

    private static long hashOfOneRun() {
        return Simulation.run(Scenario.small(SEED), _ -> {}).traceHash();
    }

    private static String inAnotherJvm() throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(
                                ProcessHandle.current().info().command().orElse("java"),
                                "-Duser.language=tr",
                                "-Duser.country=TR",
                                "-Duser.timezone=Asia/Kathmandu",
                                "-cp",
                                System.getProperty("java.class.path"),
                                OneRun.class.getName())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        String printed =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return printed.strip();
    }
}
