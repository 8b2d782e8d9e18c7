package coop.sahkar.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.LlamaRelease;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Plans for small pools against the best of all placements there are. */
class OptimumTest {
    private static final long MB = 1_000_000;
    private static final int KV = 256;
    private static final int SEEDS = 60;

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
            double[] best = {0};
            all.forEach(p -> best[0] = Math.max(best[0], all.served(p)));
            Plan plan = Planner.plan(view);
            double served = all.served(all.of(plan.assignments()));
            assertThat(plan.shortfalls().isEmpty()).as("seed %d", seed).isEqualTo(best[0] > 0);
            assertThat(served).as("seed %d: %s", seed, plan).isGreaterThanOrEqualTo(0.85 * best[0]);
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
            Plan plan = Planner.plan(after);
            if (!plan.shortfalls().isEmpty()) {
                continue;
            }
            Exhaustive all = new Exhaustive(after);
            List<List<AssignedShard>> made = all.of(plan.assignments());
            double served = all.served(made);
            int once = all.heldOnce(made);
            long[] least = {all.moved(made)};
            all.forEach(p -> {
                if (all.moved(p) < least[0]
                        && all.heldOnce(p) <= once
                        && all.served(p) >= served * 0.999) {
                    least[0] = all.moved(p);
                }
            });
            moved += all.moved(made);
            must += least[0];
        }
        assertThat((double) moved).isLessThanOrEqualTo(1.3 * must);
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
                        Collections.nCopies(units, block), block, block / 2, false, 4096, 1024);
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
