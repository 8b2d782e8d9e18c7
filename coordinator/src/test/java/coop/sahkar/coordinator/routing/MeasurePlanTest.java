package coop.sahkar.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.ShardStatus.Phase;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Transition;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Span;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class MeasurePlanTest {
    private static final String MODEL = Fixtures.model("m", 6).id();
    private static final PoolState PUBLISHED =
            Transition.apply(
                            PoolState.EMPTY,
                            new LoggedCommand(
                                    new CommandId(1, 1),
                                    new PublishModel(
                                            Fixtures.model("m", 6),
                                            List.of("http://host/m.gguf"),
                                            0,
                                            1)))
                    .state();

    private final SortedMap<String, WorkerPresence> presence = new TreeMap<>();
    private final LatencyTable latencies = new LatencyTable();

    @Test
    void asksForTheNextStagesAndForTheHeadsFromATail() {
        serve("head", 0, 2);
        serve("middle", 2, 4);
        serve("other", 2, 6);
        serve("tail", 4, 6);
        assertThat(peers("head", 0)).containsExactly("middle", "other");
        assertThat(peers("middle", 0)).containsExactly("tail");
        assertThat(peers("other", 0)).containsExactly("head");
        assertThat(peers("tail", 0)).containsExactly("head");
        assertThat(peers("nobody", 0)).isEmpty();
    }

    @Test
    void ofTooManyItKeepsTheNearestAndTriesOthersInTurn() {
        serve("head", 0, 2);
        TreeMap<String, Integer> known = new TreeMap<>();
        for (int i = 100; i < 300; i++) {
            serve("t" + i, 2, 6);
        }
        for (int i = 100; i < 132; i++) {
            known.put("t" + i, 10_000 - i);
        }
        latencies.reported("head", known, 0);
        TreeSet<String> tried = new TreeSet<>();
        for (int round = 0; round < 60; round++) {
            List<String> peers = peers("head", round);
            assertThat(peers).hasSize(Limits.MAX_MEASURED_PEERS).doesNotHaveDuplicates();
            assertThat(peers).as("the nearest stay").contains("t131", "t120", "t116");
            tried.addAll(peers);
        }
        assertThat(tried).hasSizeGreaterThan(180);
        assertThat(peers("head", 3)).as("the same round").isEqualTo(peers("head", 3));
    }

    private List<String> peers(String worker, long round) {
        return new MeasurePlan(PUBLISHED, presence, latencies, 1).peers(worker, round);
    }

    private void serve(String worker, int first, int end) {
        ShardStatus shard =
                new ShardStatus(
                        MODEL,
                        new Span(first, end),
                        Phase.SERVING,
                        1,
                        1,
                        "",
                        64,
                        0,
                        0,
                        0,
                        0,
                        0,
                        ShardStatus.Pace.UNKNOWN);
        presence.put(
                worker,
                new WorkerPresence(worker, Standing.HERE, 1, List.of(shard), 1, new TreeMap<>()));
    }
}
