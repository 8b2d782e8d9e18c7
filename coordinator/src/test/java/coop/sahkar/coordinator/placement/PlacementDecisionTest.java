package coop.sahkar.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.ForgetWorker;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Transition;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.governance.Policy;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class PlacementDecisionTest {
    private static final int FULL = Transition.MAX_WORKERS;
    private static final int MINUTE = 60_000;

    @Test
    void forgetsSoonerAsThePoolFills() {
        long day = PlacementDecision.FORGET_AFTER_MILLIS;
        assertThat(PlacementDecision.forgetAfterMillis(0)).isEqualTo(day);
        assertThat(PlacementDecision.forgetAfterMillis(FULL / 2)).isEqualTo(day);
        long previous = day;
        for (int known = FULL / 2; known <= FULL; known += 100) {
            long after = PlacementDecision.forgetAfterMillis(known);
            assertThat(after).isBetween(PlacementDecision.FORGET_AT_SOONEST_MILLIS, previous);
            previous = after;
        }
        assertThat(previous).isEqualTo(PlacementDecision.FORGET_AT_SOONEST_MILLIS);
    }

    @Test
    void forgetsWhoIsAwayLongestInAFullPool() {
        PlacementDecision decision = new PlacementDecision();
        PoolState state = pool(FULL);
        assertThat(decision.decide(sight(state, 0, "w7"))).isEmpty();
        assertThat(decision.decide(sight(state, MINUTE / 2, "w7", "w3"))).isEmpty();
        assertThat(decision.decide(sight(state, MINUTE, "w7", "w3")))
                .containsExactly(new ForgetWorker("w7"));
        assertThat(decision.decide(sight(state, MINUTE * 3 / 2 - 1, "w3"))).isEmpty();
        assertThat(decision.decide(sight(state, MINUTE * 3 / 2, "w3")))
                .containsExactly(new ForgetWorker("w3"));
    }

    @Test
    void forgetsSeveralAtOnceInAFullPoolThatIsNeverQuiet() {
        PlacementDecision decision = new PlacementDecision();
        PoolState state = pool(FULL);
        String[] gone = {"w10", "w11", "w12"};
        assertThat(decision.decide(sight(state, 0, gone))).isEmpty();
        assertThat(decision.decide(sight(state, MINUTE - 1, gone))).isEmpty();
        assertThat(decision.decide(sight(state, MINUTE, "w10", "w11", "w12", "w13")))
                .containsExactly(
                        new ForgetWorker("w10"), new ForgetWorker("w11"), new ForgetWorker("w12"));
    }

    @Test
    void keepsThoseAwayWhereThereIsRoom() {
        PlacementDecision decision = new PlacementDecision();
        PoolState state = pool(100);
        assertThat(decision.decide(sight(state, 0, "w7"))).isEmpty();
        assertThat(decision.decide(sight(state, 60 * MINUTE, "w7"))).isEmpty();
        List<Command> later =
                decision.decide(sight(state, PlacementDecision.FORGET_AFTER_MILLIS, "w7"));
        assertThat(later).containsExactly(new ForgetWorker("w7"));
    }

    private static PoolState pool(int size) {
        SortedMap<String, WorkerRecord> workers = new TreeMap<>();
        for (int i = 0; i < size; i++) {
            workers.put("w" + i, Fixtures.worker("w" + i, 1000, 1000));
        }
        return new PoolState(
                Policy.DEFAULT,
                workers,
                new TreeMap<>(),
                Placement.EMPTY,
                new TreeMap<>(),
                List.of());
    }

    private static PoolSight sight(PoolState state, long nowMillis, String... gone) {
        SortedMap<String, WorkerPresence> presence = new TreeMap<>();
        for (String id : state.workers().keySet()) {
            Standing standing = List.of(gone).contains(id) ? Standing.GONE : Standing.HERE;
            presence.put(id, new WorkerPresence(id, standing, 0, List.of(), 0, new TreeMap<>()));
        }
        return new PoolSight(state, presence, new TreeSet<>(), true, nowMillis);
    }
}
