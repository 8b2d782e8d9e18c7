package coop.sahkar.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.proto.LlamaRelease;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Workers that are about to leave: they serve until others do, and no longer. */
class LeaversTest {
    private static final int KV = 1024;
    private static final PlanModel SIX = PlannerTest.model("six", 6, 3, 1);

    @Test
    void servesOnUntilAnotherDoes() {
        Placement stands = place("a", 0, "b", 2, "c", 4);
        Plan first = plan(stands, List.of(has("a", 0), has("b", 2), idle("d")), has("c", 4));
        assertThat(spans(first)).containsExactly("a [0, 2)", "b [2, 4)", "c [4, 6)", "d [4, 6)");

        Placement meanwhile = adopted(first);
        Plan same = plan(meanwhile, List.of(has("a", 0), has("b", 2), idle("d")), has("c", 4));
        assertThat(same.assignments()).isEqualTo(first.assignments());

        Plan then = plan(meanwhile, List.of(has("a", 0), has("b", 2), has("d", 4)), has("c", 4));
        assertThat(spans(then)).containsExactly("a [0, 2)", "b [2, 4)", "d [4, 6)");
    }

    @Test
    void goesAtOnceWhereACopyServes() {
        Placement stands = place("a", 0, "b", 2, "c", 4, "d", 4);
        Plan plan = plan(stands, List.of(has("a", 0), has("b", 2), has("d", 4)), has("c", 4));
        assertThat(spans(plan)).containsExactly("a [0, 2)", "b [2, 4)", "d [4, 6)");
    }

    @Test
    void waitsForItsCopyToServe() {
        Placement stands = place("a", 0, "b", 2, "c", 4, "d", 4);
        Plan plan = plan(stands, List.of(has("a", 0), has("b", 2), idle("d")), has("c", 4));
        assertThat(spans(plan)).containsExactly("a [0, 2)", "b [2, 4)", "c [4, 6)", "d [4, 6)");
    }

    @Test
    void waitsForItsCopyToLoadTheCacheItIsToHave() {
        Placement stands = place("a", 0, "b", 2, "c", 4, "d", 4);
        AssignedShard smaller = new AssignedShard(SIX.id(), new Span(4, 6), KV / 2);
        PlanWorker behind = worker("d", room(), smaller);
        Plan plan = plan(stands, List.of(has("a", 0), has("b", 2), behind), has("c", 4));
        assertThat(spans(plan)).containsExactly("a [0, 2)", "b [2, 4)", "c [4, 6)", "d [4, 6)");
    }

    @Test
    void goesAtOnceWhereNobodyHasRoomForWhatItServes() {
        Placement stands = place("a", 0, "b", 2, "c", 4);
        Plan plan = plan(stands, List.of(has("a", 0), has("b", 2)), has("c", 4));
        assertThat(spans(plan)).containsExactly("a [0, 2)", "b [2, 4)");
        assertThat(plan.shortfalls()).containsKey(SIX.id());
    }

    @Test
    void takesNothingBackThatItWasToldToGiveUp() {
        Placement without = place("a", 0, "b", 2);
        Plan plan = plan(without, List.of(has("a", 0), has("b", 2), idle("d")), has("c", 4));
        assertThat(spans(plan)).containsExactly("a [0, 2)", "b [2, 4)", "d [4, 6)");
    }

    @Test
    void waitsWhileOthersAreCutAnew() {
        Placement stands = place("a", 0, "b", 2, "c", 4);
        PlanWorker roomy = worker("b", 3 * room(), shard(2));
        List<PlanWorker> workers = List.of(has("a", 0), roomy);
        for (int step = 0; step < 6 && stands.assignments().containsKey("c"); step++) {
            Plan plan = plan(stands, workers, has("c", 4));
            assertThat(plan.shortfalls()).isEmpty();
            List<Span> served = new ArrayList<>();
            Placement next = adopted(plan);
            for (PlanWorker worker : workers) {
                worker.serving().stream()
                        .filter(next.of(worker.id())::contains)
                        .forEach(shard -> served.add(shard.span()));
            }
            next.of("c").forEach(shard -> served.add(shard.span()));
            assertThat(Chains.shortest(6, new TreeSet<>(served))).isPositive();
            workers = workers.stream().map(w -> w.serving(next.of(w.id()))).toList();
            stands = next;
        }
        assertThat(stands.assignments()).containsOnlyKeys("a", "b");
    }

    private static Plan plan(Placement current, List<PlanWorker> workers, PlanWorker leaver) {
        return Planner.plan(new PlanView(workers, List.of(leaver), List.of(SIX), current, KV, KV));
    }

    private static PlanWorker idle(String id) {
        return worker(id, room());
    }

    private static PlanWorker has(String id, int first) {
        return worker(id, room(), shard(first));
    }

    private static PlanWorker worker(String id, long memoryBytes, AssignedShard... serving) {
        return new PlanWorker(id, memoryBytes, 1_000_000, LlamaRelease.B4916)
                .serving(List.of(serving));
    }

    /** For two blocks, not for three. */
    private static long room() {
        return new Costs(SIX.footprint()).bytes(new Span(4, 6), KV) + 10_000;
    }

    private static AssignedShard shard(int first) {
        return new AssignedShard(SIX.id(), new Span(first, first + 2), KV);
    }

    /** Workers by name, each with two blocks from there on. */
    private static Placement place(Object... idsAndFirsts) {
        TreeMap<String, List<AssignedShard>> assignments = new TreeMap<>();
        for (int i = 0; i < idsAndFirsts.length; i += 2) {
            assignments.put(
                    (String) idsAndFirsts[i], List.of(shard((Integer) idsAndFirsts[i + 1])));
        }
        return new Placement(1, 0, assignments);
    }

    private static Placement adopted(Plan plan) {
        return new Placement(2, 1, new TreeMap<>(plan.assignments()));
    }

    private static List<String> spans(Plan plan) {
        List<String> spans = new ArrayList<>();
        plan.assignments().forEach((id, all) -> all.forEach(s -> spans.add(id + " " + s.span())));
        return spans;
    }
}
