package coop.sahkar.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Footprints;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.LlamaRelease;
import coop.sahkar.proto.ShardBuffers;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PlannerTest {
    private static final long MB = 1_000_000;
    private static final int KV = 1024;

    /** A little more than a shard takes without its blocks. */
    private static final long SHARD = ShardBuffers.of(64, 32, 0).bytes(true, KV) + 100_000;

    private static final PlanModel SIX = model("six", 6, 0, 1);

    @Test
    void cutsEvenlyForEqualWorkers() {
        Plan plan = plan(Placement.EMPTY, List.of(model("six", 6, 3, 1)), equal("a", "b", "c"));
        assertThat(spans(plan)).containsExactly("a [0, 2)", "b [2, 4)", "c [4, 6)");
        assertThat(plan.shortfalls()).isEmpty();
    }

    @Test
    void takesAsFewStagesAsFitAndLetsTheOthersReplicate() {
        Plan plan = plan(Placement.EMPTY, List.of(SIX), equal("a", "b"));
        assertThat(spans(plan)).containsExactly("a [0, 6)", "b [0, 6)");
    }

    @Test
    void cutsInProportionToSpeed() {
        List<PlanWorker> workers =
                List.of(worker("a", 100 * MB, MB), worker("b", 100 * MB, 2 * MB));
        Plan plan = plan(Placement.EMPTY, List.of(model("six", 6, 2, 1)), workers);
        assertThat(spans(plan)).containsExactly("a [0, 2)", "b [2, 6)");
    }

    @Test
    void noiseInMeasuredSpeedMovesNoCut() {
        List<PlanWorker> workers =
                List.of(
                        worker("a", 100 * MB, 10_900 * MB),
                        worker("b", 100 * MB, 9100 * MB),
                        worker("c", 100 * MB, 10_100 * MB));
        Plan plan = plan(Placement.EMPTY, List.of(model("six", 6, 3, 1)), workers);
        assertThat(plan.assignments().values())
                .allSatisfy(shards -> assertThat(shards).hasSize(1))
                .extracting(shards -> shards.getFirst().span().length())
                .containsExactly(2, 2, 2);
    }

    @Test
    void cutsOnlyAtTheGrain() {
        Plan plan = plan(Placement.EMPTY, List.of(model("m", 8, 3, 4)), equal("a", "b", "c"));
        assertThat(spans(plan)).contains("a [0, 4)", "c [4, 8)");
    }

    @Test
    void leavesNoPartShorterThanTheGrain() {
        Plan plan = plan(Placement.EMPTY, List.of(model("m", 14, 3, 6)), equal("a", "b", "c"));
        assertThat(spans(plan)).contains("a [0, 6)", "c [6, 14)").doesNotContain("c [12, 14)");
    }

    @Test
    void splitsWhatOneWorkerCannotHold() {
        long half = new Costs(SIX.footprint()).bytes(new Span(3, 6), KV);
        List<PlanWorker> workers = List.of(worker("a", half, MB), worker("b", half, MB));
        assertThat(spans(plan(Placement.EMPTY, List.of(SIX), workers)))
                .containsExactly("a [0, 3)", "b [3, 6)");
    }

    @Test
    void halvesTheKvCacheBeforeItGivesUp() {
        long tight = new Costs(SIX.footprint()).bytes(new Span(0, 6), KV / 2);
        Plan plan = plan(Placement.EMPTY, List.of(SIX), List.of(worker("a", tight, MB)));
        assertThat(plan.assignments().get("a"))
                .containsExactly(new AssignedShard(SIX.id(), new Span(0, 6), KV / 2));
    }

    @Test
    void keepsWhatStandsWhenAWorkerJoins() {
        Placement before =
                adopted(
                        plan(
                                Placement.EMPTY,
                                List.of(model("six", 6, 3, 1)),
                                equal("b", "c", "d")));
        Plan after = plan(before, List.of(model("six", 6, 3, 1)), equal("a", "b", "c", "d"));
        assertThat(spans(after)).contains("b [0, 2)", "c [2, 4)", "d [4, 6)");
        assertThat(spans(after)).contains("a [0, 2)").hasSize(7);
    }

    @Test
    void holdsEveryPartTwiceWhereWorkersDo() {
        Plan plan =
                plan(
                        Placement.EMPTY,
                        List.of(model("six", 6, 3, 1)),
                        equal("a", "b", "c", "d", "e", "f"));
        assertThat(spans(plan).stream().map(span -> span.substring(2)).sorted().toList())
                .containsExactly("[0, 2)", "[0, 2)", "[2, 4)", "[2, 4)", "[4, 6)", "[4, 6)");
    }

    @Test
    void outlivesOneLossAfterTheOtherAsLongAsFourAreLeft() {
        List<PlanWorker> six =
                List.of(
                        worker("a", 100 * MB, MB),
                        worker("b", 100 * MB, 9 * MB),
                        worker("c", 100 * MB, 2 * MB),
                        worker("d", 100 * MB, 3 * MB),
                        worker("e", 100 * MB, MB),
                        worker("f", 100 * MB, 5 * MB));
        loseEach(Placement.EMPTY, List.of(model("six", 6, 3, 1)), six);
    }

    /** Whoever goes, and whoever goes next, each time when the pool has come to rest. */
    private static void loseEach(
            Placement before, List<PlanModel> models, List<PlanWorker> workers) {
        Placement placement = before;
        boolean safe = false;
        for (int step = 0; step < 8; step++) {
            Placement next = adopted(plan(placement, models, serving(placement, workers)));
            if (safe) {
                assertThat(outlivesLoss(models, serving(placement, workers), next)).isTrue();
            }
            placement = next;
            safe = outlivesLoss(models, serving(placement, workers), placement);
        }
        assertThat(safe).as("%s", placement).isTrue();
        assertThat(plan(placement, models, serving(placement, workers)).assignments())
                .isEqualTo(placement.assignments());
        for (int gone = 0; workers.size() > 4 && gone < workers.size(); gone++) {
            List<PlanWorker> left = new ArrayList<>(workers);
            left.remove(gone);
            loseEach(placement, models, left);
        }
    }

    /** Whether what serves and stays outlives the loss of any worker. */
    private static boolean outlivesLoss(
            List<PlanModel> models, List<PlanWorker> serving, Placement next) {
        PlanView view = new PlanView(serving, models, next, KV, KV);
        List<List<AssignedShard>> stays = new ArrayList<>();
        for (PlanWorker worker : serving) {
            List<AssignedShard> both = new ArrayList<>(worker.serving());
            both.retainAll(next.of(worker.id()));
            stays.add(both);
        }
        return new Exhaustive(view).safe(stays) == models.size();
    }

    @Test
    void givesAReturningWorkerItsSpanBack() {
        List<PlanModel> models = List.of(model("six", 6, 3, 1));
        Placement whole = adopted(rigid(Placement.EMPTY, models, tight("a", "b", "c")));
        Plan without = rigid(whole, models, tight("a", "c"));
        assertThat(spans(without)).containsExactly("a [0, 2)", "b [2, 4)", "c [4, 6)");
        assertThat(without.shortfalls().get(SIX.id())).contains("needs").contains("more memory");
        Plan again = rigid(adopted(without), models, tight("a", "b", "c"));
        assertThat(spans(again)).containsExactly("a [0, 2)", "b [2, 4)", "c [4, 6)");
    }

    @Test
    void waitsForThoseWhoAloneHaveTheBytes() {
        PlanModel model = unsourced(model("six", 6, 3, 1));
        Placement whole =
                adopted(
                        plan(
                                Placement.EMPTY,
                                List.of(model("six", 6, 3, 1)),
                                equal("a", "b", "c")));
        List<PlanWorker> left = serving(whole, equal("a", "c"));
        Plan without = plan(whole, List.of(model), left);
        assertThat(without.assignments()).isEqualTo(whole.assignments());
        assertThat(without.shortfalls().get(SIX.id()))
                .isEqualTo(
                        "six waits for workers that hold blocks 2 to 3: no worker here serves them"
                                + " and no publisher offers them. Start those workers again, or"
                                + " publish the file again.");
        Plan nobody = plan(whole, List.of(model), List.of());
        assertThat(nobody.assignments()).isEqualTo(whole.assignments());
    }

    @Test
    void cutsAnewForTheSurvivorsWhenThePublisherIsThere() {
        List<PlanModel> models = List.of(model("six", 6, 3, 1));
        Placement whole = adopted(plan(Placement.EMPTY, models, equal("a", "b", "c")));
        Plan without = plan(whole, models, serving(whole, equal("a", "c")));
        assertThat(without.shortfalls()).isEmpty();
    }

    @Test
    void keepsAServingChainUntilTheNewOneServes() {
        List<PlanModel> models = List.of(model("six", 6, 3, 1));
        Placement two = adopted(plan(Placement.EMPTY, models, equal("a", "b")));
        List<PlanWorker> three = serving(two, equal("a", "b", "c"));
        Plan between = plan(two, models, three);
        assertThat(spans(between)).contains("a [0, 3)", "b [3, 6)").hasSize(5);
        assertThat(plan(adopted(between), models, three).assignments())
                .isEqualTo(between.assignments());
        Plan after =
                plan(adopted(between), models, serving(adopted(between), equal("a", "b", "c")));
        assertThat(spans(after)).containsExactly("a [0, 2)", "b [2, 4)", "c [4, 6)");
    }

    @Test
    void keepsWhatAWorkerServesThoughItFailedWithItBefore() {
        Placement one = adopted(plan(Placement.EMPTY, List.of(SIX), equal("a")));
        PlanWorker served = serving(one, equal("a")).getFirst();
        PlanWorker retried =
                new PlanWorker(
                        served.id(),
                        served.memoryBytes(),
                        served.bytesPerSecond(),
                        served.release(),
                        served.serving(),
                        served.serving(),
                        true);
        Plan after = plan(one, List.of(SIX), List.of(retried, worker("b", 100 * MB, MB)));
        assertThat(spans(after)).contains("a [0, 6)");
    }

    @Test
    void givesNothingUpForAReplacementThatIsOnlyTakenToServe() {
        List<PlanModel> models = List.of(model("six", 6, 3, 1));
        Placement two = adopted(plan(Placement.EMPTY, models, equal("a", "b")));
        Placement between = adopted(plan(two, models, serving(two, equal("a", "b", "c"))));
        List<PlanWorker> silent = new ArrayList<>();
        for (PlanWorker worker : serving(between, equal("a", "b", "c"))) {
            boolean heard = !worker.id().equals("c");
            silent.add(
                    new PlanWorker(
                            worker.id(),
                            worker.memoryBytes(),
                            worker.bytesPerSecond(),
                            worker.release(),
                            worker.serving(),
                            List.of(),
                            heard));
        }
        assertThat(spans(plan(between, models, silent))).contains("a [0, 3)", "b [3, 6)");
        assertThat(spans(plan(between, models, serving(between, equal("a", "b", "c")))))
                .doesNotContain("a [0, 3)", "b [3, 6)");
    }

    /** A publisher may turn out to have ended just then. */
    @Test
    void givesUpNoLastCopyBeforeOthersServeIt() {
        List<PlanModel> models = List.of(model("six", 6, 3, 1));
        Placement whole = adopted(plan(Placement.EMPTY, models, equal("a", "b", "c")));
        List<PlanWorker> left = serving(whole, equal("a", "c"));
        Plan without = plan(whole, models, left);
        assertThat(spans(without))
                .contains("a [0, 2)", "a [0, 3)", "b [2, 4)", "c [4, 6)", "c [3, 6)");
        Placement between = adopted(without);
        assertThat(plan(between, models, left).assignments()).isEqualTo(between.assignments());
        List<PlanModel> dark = List.of(unsourced(models.getFirst()));
        Plan failed = plan(between, dark, failing(between, whole, "a", "c"));
        assertThat(spans(failed)).contains("a [0, 2)", "b [2, 4)", "c [4, 6)");
        Plan back = plan(adopted(failed), dark, serving(whole, equal("a", "b", "c")));
        assertThat(spans(back)).contains("a [0, 2)", "b [2, 4)", "c [4, 6)");
    }

    @Test
    void takesNoChainForOneInWhichAWorkerStandsTwice() {
        List<PlanModel> models = List.of(model("six", 6, 2, 1));
        Costs costs = new Costs(SIX.footprint());
        long room = 2 * costs.bytes(new Span(2, 4), KV) + costs.bytes(new Span(0, 6), KV) / 10;
        List<PlanWorker> two = List.of(worker("a", room, MB), worker("b", room, MB));
        TreeMap<String, List<AssignedShard>> twice = new TreeMap<>();
        twice.put("a", List.of(shard(0, 2), shard(2, 4)));
        twice.put("b", List.of(shard(4, 6)));
        Placement placement = new Placement(1, 0, twice);
        for (int round = 0; round < 3; round++) {
            placement = adopted(plan(placement, models, serving(placement, two)));
        }
        Plan rested = plan(placement, models, serving(placement, two));
        assertThat(spans(rested)).containsExactly("a [0, 3)", "b [3, 6)");
    }

    private static AssignedShard shard(int first, int end) {
        return new AssignedShard(SIX.id(), new Span(first, end), KV);
    }

    /** Workers that serve what they had, and failed with what they were given. */
    private static List<PlanWorker> failing(Placement given, Placement had, String... ids) {
        List<PlanWorker> workers = new ArrayList<>();
        for (PlanWorker w : serving(had, equal(ids))) {
            List<AssignedShard> failed = new ArrayList<>(given.of(w.id()));
            failed.removeAll(had.of(w.id()));
            workers.add(
                    new PlanWorker(
                            w.id(),
                            w.memoryBytes(),
                            w.bytesPerSecond(),
                            w.release(),
                            w.serving(),
                            failed,
                            true));
        }
        return workers;
    }

    private static List<PlanWorker> serving(Placement placement, List<PlanWorker> workers) {
        return workers.stream().map(w -> w.serving(placement.of(w.id()))).toList();
    }

    private static PlanModel unsourced(PlanModel m) {
        return new PlanModel(
                m.id(),
                m.name(),
                m.footprint(),
                m.cuts(),
                m.oldestRelease(),
                m.minStages(),
                false,
                m.demand());
    }

    @Test
    void spreadsOutWhenTheThirdWorkerComesForThreeStages() {
        List<PlanModel> models = List.of(model("six", 6, 3, 1));
        Placement two = adopted(plan(Placement.EMPTY, models, equal("a", "b")));
        assertThat(two.assignments()).hasSize(2);
        assertThat(spans(plan(two, models, equal("a", "b", "c"))))
                .containsExactly("a [0, 2)", "b [2, 4)", "c [4, 6)");
    }

    @Test
    void saysWhatIsMissing() {
        Plan none = plan(Placement.EMPTY, List.of(SIX), List.of());
        assertThat(none.shortfalls().get(SIX.id()))
                .isEqualTo(
                        "six waits for workers: none is here. Start one with \"sahkar worker\".");
        Plan small = plan(Placement.EMPTY, List.of(SIX), List.of(worker("a", 500_000, MB)));
        assertThat(small.shortfalls().get(SIX.id()))
                .startsWith(
                        "six needs 17 MB more memory: it takes 18 MB, and 1 worker lends 500 kB");
    }

    @Test
    void placesAModelOnlyWhereLlamaCppKnowsIt() {
        var recent =
                new PlanModel(
                        SIX.id(),
                        "six",
                        SIX.footprint(),
                        SIX.cuts(),
                        LlamaRelease.V0_5,
                        2,
                        true,
                        1);
        Plan none = plan(Placement.EMPTY, List.of(recent), equal("a", "b"));
        assertThat(none.assignments()).isEmpty();
        assertThat(none.shortfalls().get(SIX.id()))
                .isEqualTo(
                        "six needs llama.cpp v0.5 or newer, which no worker here has. Start one"
                                + " with \"sahkar worker --llama DIR\".");
        List<PlanWorker> mixed = new ArrayList<>(equal("a", "b"));
        mixed.add(new PlanWorker("c", 100 * MB, MB, LlamaRelease.V0_5));
        assertThat(spans(plan(adopted(none), List.of(recent), mixed))).containsExactly("c [0, 6)");
        mixed.set(2, new PlanWorker("c", 500_000, MB, LlamaRelease.V0_5));
        assertThat(plan(adopted(none), List.of(recent), mixed).shortfalls().get(SIX.id()))
                .contains("1 worker lends 500 kB")
                .endsWith("Of 3 workers, 2 have a llama.cpp older than v0.5 and cannot load it.");
    }

    @Test
    void takesTheRoomOfSecondCopiesForAModelOfWhichAPartIsLost() {
        PlanModel small = model("small", 1, 0, 1);
        PlanModel six = model("six", 6, 3, 1);
        Costs costs = new Costs(six.footprint());
        long whole = costs.bytes(new Span(0, 6), KV);
        long copy = new Costs(small.footprint()).bytes(new Span(0, 1), KV);
        List<PlanWorker> workers =
                List.of(
                        worker("a", costs.bytes(new Span(1, 6), KV), MB),
                        worker("b", whole + copy / 2, MB),
                        worker("c", copy + copy / 2, MB));
        SortedMap<String, List<AssignedShard>> stands = new TreeMap<>();
        AssignedShard second = new AssignedShard(small.id(), new Span(0, 1), KV);
        stands.put("a", List.of(new AssignedShard(six.id(), new Span(2, 3), KV)));
        stands.put("b", List.of(new AssignedShard(six.id(), new Span(3, 6), KV), second));
        stands.put("c", List.of(second));
        Placement before = new Placement(1, 0, stands);
        Plan plan = rigid(before, List.of(small, six), serving(before, workers));
        assertThat(plan.shortfalls()).isEmpty();
        assertThat(plan.assignments().get("c")).contains(second);
    }

    @Test
    void placesOlderModelsFirst() {
        long one = new Costs(SIX.footprint()).bytes(new Span(0, 6), KV) + 100;
        Plan plan =
                plan(
                        Placement.EMPTY,
                        List.of(SIX, model("late", 6, 0, 1)),
                        List.of(worker("a", one, MB)));
        assertThat(plan.assignments().get("a"))
                .extracting(AssignedShard::modelId)
                .containsExactly(SIX.id());
        assertThat(plan.shortfalls()).containsOnlyKeys(Fixtures.model("late", 6).id());
    }

    @Test
    void holdsItsRulesOverRandomPoolsAndSettles() {
        Random random = new Random(7);
        for (int round = 0; round < 300; round++) {
            List<PlanModel> models = new ArrayList<>();
            for (int m = 0; m <= random.nextInt(3); m++) {
                int grain = 1 + 2 * m;
                int blocks = grain + random.nextInt(20);
                models.add(model("m" + m, blocks, random.nextInt(5), grain));
            }
            List<PlanWorker> workers = new ArrayList<>();
            for (int w = 0; w < random.nextInt(7); w++) {
                long memory = random.nextInt(4) * SHARD + random.nextInt(640_000);
                workers.add(worker("w" + w, memory, 1 + random.nextInt(100_000_000)));
            }
            Plan plan = plan(Placement.EMPTY, models, workers);
            PlanRules.check(plan, models, workers);
            Plan again = plan(adopted(plan), models, workers);
            assertThat(again.assignments())
                    .as("round %d settles", round)
                    .isEqualTo(plan.assignments());
        }
    }

    private static Plan plan(Placement current, List<PlanModel> models, List<PlanWorker> workers) {
        return Planner.plan(new PlanView(workers, models, current, KV, 64));
    }

    /** With no room to make KV caches smaller. */
    private static Plan rigid(Placement current, List<PlanModel> models, List<PlanWorker> workers) {
        return Planner.plan(new PlanView(workers, models, current, KV, KV));
    }

    private static Placement adopted(Plan plan) {
        return new Placement(1, 0, new TreeMap<>(plan.assignments()));
    }

    static PlanModel model(String name, int blocks, int minStages, int grain) {
        var manifest = Fixtures.model(name, blocks);
        return new PlanModel(
                manifest.id(),
                name,
                Footprints.of(manifest),
                new Cuts(blocks, grain),
                LlamaRelease.B4916,
                minStages,
                true,
                1);
    }

    private static PlanWorker worker(String id, long memoryBytes, long bytesPerSecond) {
        return new PlanWorker(id, memoryBytes, bytesPerSecond, LlamaRelease.B4916);
    }

    private static List<PlanWorker> equal(String... ids) {
        return List.of(ids).stream().map(id -> worker(id, 100 * MB, MB)).toList();
    }

    private static List<PlanWorker> tight(String... ids) {
        long third = new Costs(SIX.footprint()).bytes(new Span(4, 6), KV) + 10_000;
        return List.of(ids).stream().map(id -> worker(id, third, MB)).toList();
    }

    private static List<String> spans(Plan plan) {
        List<String> spans = new ArrayList<>();
        plan.assignments().forEach((id, all) -> all.forEach(s -> spans.add(id + " " + s.span())));
        return spans;
    }
}
