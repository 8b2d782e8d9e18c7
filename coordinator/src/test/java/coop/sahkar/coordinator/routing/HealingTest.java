package coop.sahkar.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.ShardStatus.Pace;
import coop.sahkar.coordinator.liveness.ShardStatus.Phase;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.governance.Policy;
import coop.sahkar.proto.Span;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HealingTest {
    private static final String MODEL = "m@d";
    private static final Span FIRST = new Span(0, 3);
    private static final Span SECOND = new Span(3, 6);
    private static final int SILENT = 2 * Policy.DEFAULT.reportIntervalMillis();

    private final Map<String, WorkerPresence> workers = new TreeMap<>();

    private static WorkerPresence worker(
            String id, Standing standing, Reach reach, long heard, Span span, Phase phase) {
        ShardStatus shard =
                new ShardStatus(MODEL, span, phase, 0, 0, "", 0, 0, 0, 0, 0, 0, Pace.UNKNOWN);
        return new WorkerPresence(
                id, standing, heard, List.of(shard), 1, new TreeMap<>(), reach, "");
    }

    private void first(Standing standing, Reach reach, long heard, Span span, Phase phase) {
        workers.put("a", worker("a", standing, reach, heard, span, phase));
    }

    private boolean underway(String shortfall) {
        workers.put("b", worker("b", Standing.HERE, Reach.DIRECT, SILENT, SECOND, Phase.SERVING));
        TreeMap<String, List<AssignedShard>> assigned = new TreeMap<>();
        assigned.put("a", List.of(new AssignedShard(MODEL, FIRST, 64)));
        assigned.put("b", List.of(new AssignedShard(MODEL, SECOND, 64)));
        assigned.put("other", List.of(new AssignedShard("another@d", FIRST, 64)));
        PoolState state =
                new PoolState(
                        Policy.DEFAULT,
                        new TreeMap<>(),
                        new TreeMap<>(),
                        new Placement(1, 0, assigned),
                        new TreeMap<>(),
                        List.of());
        return Healing.underway(
                state, MODEL, id -> Objects.requireNonNull(workers.get(id)), shortfall, SILENT);
    }

    @ParameterizedTest
    @EnumSource(Phase.class)
    void itIsAsLongAsAShardIsOnItsWay(Phase phase) {
        first(Standing.HERE, Reach.DIRECT, SILENT, FIRST, phase);
        assertThat(underway("")).isEqualTo(phase != Phase.SERVING && phase != Phase.FAILED);
    }

    @Test
    void itIsUntilAWorkerHoldsWhatThePlacementSays() {
        first(Standing.HERE, Reach.DIRECT, SILENT, new Span(0, 2), Phase.SERVING);
        assertThat(underway("")).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Standing.class)
    void itIsAsLongAsThePlacementCountsOnAWorkerThatIsNotHere(Standing standing) {
        first(standing, Reach.DIRECT, SILENT, FIRST, Phase.SERVING);
        assertThat(underway("")).isEqualTo(standing != Standing.HERE);
    }

    @Test
    void itIsWhenAWorkerHasFallenSilentOrIsBeingDialled() {
        first(Standing.HERE, Reach.DIRECT, 0, FIRST, Phase.SERVING);
        assertThat(underway("")).isFalse();
        first(Standing.HERE, Reach.DIRECT, -1, FIRST, Phase.SERVING);
        assertThat(underway("")).isTrue();
        first(Standing.HERE, Reach.TESTING, SILENT, FIRST, Phase.SERVING);
        assertThat(underway("")).isTrue();
    }

    @Test
    void itIsNotWhereThereIsNoRoomForTheModel() {
        first(Standing.GONE, Reach.DIRECT, 0, FIRST, Phase.SERVING);
        assertThat(underway("2 GB are missing.")).isFalse();
    }
}
