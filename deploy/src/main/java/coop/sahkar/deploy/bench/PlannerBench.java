package coop.sahkar.deploy.bench;

import coop.sahkar.coordinator.placement.Plan;
import coop.sahkar.coordinator.placement.PlanModel;
import coop.sahkar.coordinator.placement.PlanView;
import coop.sahkar.coordinator.placement.PlanWorker;
import coop.sahkar.coordinator.placement.Planner;
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
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How long planning takes in a large pool whose workers come and go: a made-up pool, each worker of
 * another size and speed, of which a few are replaced before each plan. The same seed gives the
 * same pool. What is given comes to serve before the next plan.
 */
public final class PlannerBench {
    private static final long GIGA = 1_000_000_000L;
    private static final int KV_POSITIONS = 4096;
    private static final int LEAST_KV_POSITIONS = 256;

    /**
     * What was seen.
     *
     * @param firstMillis time of the plan for the empty pool
     * @param p50Millis median time of planning a change
     * @param p99Millis of a hundred changes, the time of the slowest but one
     * @param worstMillis time of the slowest change
     * @param lostModels models left without a chain, summed over the plans
     * @param movedBytes weights fetched for all changes
     * @param lostBytes weights that the workers who went had held
     */
    public record Result(
            double firstMillis,
            double p50Millis,
            double p99Millis,
            double worstMillis,
            int lostModels,
            long movedBytes,
            long lostBytes) {}

    private final Random random;
    private final List<PlanModel> models = new ArrayList<>();
    private final SortedMap<String, PlanWorker> workers = new TreeMap<>();
    private Placement placement = Placement.EMPTY;
    private int named;
    private long movedBytes;
    private long lostBytes;

    /** Models without a chain in the latest plan. */
    private int lost;

    private PlannerBench(long seed) {
        this.random = new Random(seed);
    }

    /**
     * Runs it.
     *
     * @param workerCount workers in the pool
     * @param modelCount models, of 4 to 80 blocks and 50 MB to 40 GB
     * @param changes plans timed
     * @param replaced workers replaced before each plan
     */
    public static Result run(
            int workerCount, int modelCount, int changes, int replaced, long seed) {
        PlannerBench bench = new PlannerBench(seed);
        for (int i = 0; i < modelCount; i++) {
            bench.models.add(bench.model(i));
        }
        for (int i = 0; i < workerCount; i++) {
            bench.join();
        }
        double first = bench.plan();
        bench.movedBytes = 0;
        double[] millis = new double[changes];
        int lost = 0;
        for (int i = 0; i < changes; i++) {
            bench.replace(replaced);
            millis[i] = bench.plan();
            lost += bench.lost;
        }
        Arrays.sort(millis);
        return new Result(
                first,
                millis[changes / 2],
                millis[Math.min(changes - 1, changes * 99 / 100)],
                millis[changes - 1],
                lost,
                bench.movedBytes,
                bench.lostBytes);
    }

    private double plan() {
        PlanView view =
                new PlanView(
                        List.copyOf(workers.values()),
                        models,
                        placement,
                        KV_POSITIONS,
                        LEAST_KV_POSITIONS);
        long begun = System.nanoTime();
        Plan plan = Planner.plan(view);
        double millis = (System.nanoTime() - begun) / 1e6;
        lost = plan.shortfalls().size();
        adopt(plan);
        return millis;
    }

    private void adopt(Plan plan) {
        SortedMap<String, List<AssignedShard>> old = placement.assignments();
        placement =
                new Placement(
                        placement.generation() + 1,
                        placement.generation(),
                        new TreeMap<>(plan.assignments()));
        plan.assignments()
                .forEach((id, shards) -> {
                    PlanWorker worker = workers.get(id);
                    if (worker != null && !shards.equals(worker.serving())) {
                        workers.put(id, worker.serving(shards));
                        List<AssignedShard> more = new ArrayList<>(shards);
                        more.removeAll(old.getOrDefault(id, List.of()));
                        movedBytes += weights(more);
                    }
                });
    }

    private long weights(List<AssignedShard> shards) {
        long bytes = 0;
        for (AssignedShard shard : shards) {
            for (PlanModel model : models) {
                if (model.id().equals(shard.modelId())) {
                    bytes += model.footprint().weightBytes(shard.span());
                }
            }
        }
        return bytes;
    }

    private void join() {
        String id = "w%06d".formatted(named++);
        long memory = (2L << random.nextInt(5)) * GIGA + random.nextLong(GIGA);
        long speed = (5L + random.nextInt(95)) * GIGA;
        workers.put(id, new PlanWorker(id, memory, speed, LlamaRelease.B4916));
    }

    private void replace(int count) {
        List<String> ids = new ArrayList<>(workers.keySet());
        for (int i = 0; i < count; i++) {
            String gone = ids.get(random.nextInt(ids.size()));
            if (workers.remove(gone) != null) {
                lostBytes += weights(placement.of(gone));
                join();
            }
        }
    }

    private PlanModel model(int number) {
        int blocks = 4 + random.nextInt(77);
        long perBlock = (long) (12e6 * Math.pow(40, random.nextDouble()));
        long ends = 2 * perBlock;
        ModelFootprint footprint =
                new ModelFootprint(
                        Collections.nCopies(blocks, perBlock),
                        ends,
                        ends,
                        false,
                        4096,
                        4096,
                        new ShardBuffers(4096, 32_000, 32));
        return new PlanModel(
                "model-%03d@%d".formatted(number, number),
                "model-%03d".formatted(number),
                footprint,
                new Cuts(blocks, 1),
                LlamaRelease.B4916,
                0,
                true,
                1L << (2 * random.nextInt(4)));
    }
}
