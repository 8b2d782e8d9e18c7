package coop.sahkar.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.LlamaRelease;
import coop.sahkar.proto.ShardBuffers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Plans for small pools against the best of all placements there are. The planner puts it above
 * throughput that a model outlives the loss of any worker, once the model gets what is asked of it.
 * So a plan is compared with the fastest placement of those that keep this promise for as many
 * models as it does itself, or as any placement could if that is fewer. Where no placement keeps it
 * for any model, that is the fastest of all.
 */
class OptimumTest {
    private static final long MB = 1_000_000;
    private static final int KV = 256;
    private static final int SEEDS = 60;
    private static final int MOST_STEPS = 8;

    /** The planner shares workers' time roughly: what is just enough may seem too little to it. */
    private static final double ENOUGH = 1.15;

    @Test
    void theLinearProgramIsRight() {
        double[][] a = {{1, 0}, {0, 2}, {3, 2}};
        assertThat(Simplex.most(a, new double[] {4, 12, 18}, new double[] {3, 5})).isEqualTo(36);
    }

    @ParameterizedTest
    @CsvSource({"1,2,5", "1,3,4", "1,4,3", "2,2,3", "2,3,2"})
    void servesNearlyWhatTheBestPlacementServes(int models, int workers, int units) {
        for (int seed = 0; seed < SEEDS; seed++) {
            PlanView view = pool(new Random(seed * 31L + workers), models, workers, units);
            Exhaustive all = new Exhaustive(view);
            // By number of models that outlive any loss: the most that is served.
            double[] best = new double[models + 1];
            int[] promised = {0};
            all.forEach(p -> {
                double served = all.served(p);
                if (served > 0) {
                    int safe = all.safe(p);
                    best[safe] = Math.max(best[safe], served);
                    int due = served >= ENOUGH ? safe : all.safeAndUnasked(p);
                    promised[0] = Math.max(promised[0], due);
                }
            });
            Plan plan = Planner.plan(view);
            List<List<AssignedShard>> made = all.of(plan.assignments());
            boolean possible = Arrays.stream(best).anyMatch(served -> served > 0);
            assertThat(plan.shortfalls().isEmpty()).as("seed %d", seed).isEqualTo(possible);
            if (possible) {
                int safe = all.safe(made);
                assertThat(safe).as("seed %d: %s", seed, plan).isGreaterThanOrEqualTo(promised[0]);
                int alike = safe;
                while (best[alike] == 0) {
                    alike--;
                }
                double most = Arrays.stream(best, alike, best.length).max().orElseThrow();
                assertThat(all.served(made))
                        .as("seed %d: %s", seed, plan)
                        .isGreaterThanOrEqualTo(0.85 * most);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1,3,5", "1,4,4", "1,5,3", "2,3,3", "2,4,2"})
    void movesHardlyMoreThanItMust(int models, int workers, int units) {
        long moved = 0;
        long must = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed * 31L + workers);
            PlanView before = pool(random, models, workers, units);
            Plan standing = Planner.plan(before);
            if (!standing.shortfalls().isEmpty()) {
                continue;
            }
            PlanView after = without(before, standing, random.nextInt(workers));
            Exhaustive all = new Exhaustive(after);
            long[] steps = {0};
            Plan plan = atRest(after, steps);
            if (!plan.shortfalls().isEmpty()) {
                continue;
            }
            List<List<AssignedShard>> made = all.of(plan.assignments());
            double served = all.served(made);
            int safe = all.safe(made);
            long[] least = {all.moved(made)};
            all.forEach(p -> {
                if (all.moved(p) < least[0]
                        && all.safe(p) >= safe
                        && all.served(p) >= served * 0.999) {
                    least[0] = all.moved(p);
                }
            });
            moved += steps[0];
            must += least[0];
        }
        assertThat((double) moved).isLessThanOrEqualTo(1.3 * must);
    }

    /**
     * The plan that stands in the end: some changes take several, each made when what the one
     * before gave serves.
     *
     * @param moved to which all that is fetched on the way is added
     */
    private static Plan atRest(PlanView begun, long[] moved) {
        PlanView view = begun;
        for (int step = 0; step < MOST_STEPS; step++) {
            Plan plan = Planner.plan(view);
            if (plan.assignments().equals(view.current().assignments())) {
                return plan;
            }
            Exhaustive all = new Exhaustive(view);
            moved[0] += all.moved(all.of(plan.assignments()));
            Placement placement = new Placement(1, 0, new TreeMap<>(plan.assignments()));
            List<PlanWorker> workers =
                    view.workers().stream().map(w -> w.serving(placement.of(w.id()))).toList();
            view = new PlanView(workers, view.models(), placement, KV, KV);
        }
        throw new AssertionError("does not come to rest: " + view);
    }

    /** The pool when a worker has gone and all others serve what they were given. */
    private static PlanView without(PlanView view, Plan plan, int gone) {
        List<PlanWorker> left = new ArrayList<>();
        for (PlanWorker worker : view.workers()) {
            left.add(worker.serving(plan.assignments().getOrDefault(worker.id(), List.of())));
        }
        left.remove(gone);
        Placement placement = new Placement(1, 0, new TreeMap<>(plan.assignments()));
        return new PlanView(left, view.models(), placement, KV, KV);
    }

    private static PlanView pool(Random random, int models, int workers, int units) {
        List<PlanModel> some = new ArrayList<>();
        long all = 0;
        for (int m = 0; m < models; m++) {
            PlanModel model = model(random, m, units);
            some.add(model);
            all += new Costs(model.footprint()).bytes(new coop.sahkar.proto.Span(0, units), KV);
        }
        List<PlanWorker> many = new ArrayList<>();
        for (int w = 0; w < workers; w++) {
            long memory = (long) (all * (0.35 + random.nextDouble()));
            long speed = 200 * MB + random.nextLong(2000 * MB);
            many.add(new PlanWorker("w" + w, memory, speed, LlamaRelease.B4916));
        }
        return new PlanView(many, some, Placement.EMPTY, KV, KV);
    }

    private static PlanModel model(Random random, int number, int units) {
        long block = 20 * MB + random.nextLong(80 * MB);
        ModelFootprint footprint =
                new ModelFootprint(
                        Collections.nCopies(units, block),
                        block,
                        block / 2,
                        false,
                        4096,
                        1024,
                        new ShardBuffers(64, 32, 1));
        return new PlanModel(
                "m" + number,
                "m" + number,
                footprint,
                new Cuts(units, 1),
                LlamaRelease.B4916,
                0,
                true,
                1 + random.nextInt(4));
    }
}
