package coop.sahkar.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.liveness.Attendance;
import coop.sahkar.coordinator.liveness.LatencyTable;
import coop.sahkar.coordinator.liveness.LeaseTable;
import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.ShardStatus.Pace;
import coop.sahkar.coordinator.liveness.ShardStatus.Phase;
import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.state.Footprints;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.governance.Policy;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A model of two parts with one holder each; the session lost the second. */
class PoolRepairsTest {
    private static final long NOW = 1_000;

    private final ModelRecord model = model();
    private final TreeMap<String, WorkerRecord> workers = new TreeMap<>();
    private final LeaseTable leases = new LeaseTable(0);
    private final long behind;

    PoolRepairsTest() {
        holds("a", new Span(0, 3));
        behind = holds("b", new Span(3, 6));
    }

    private static ModelRecord model() {
        ModelManifest manifest = Fixtures.model("m", 6);
        return new ModelRecord(manifest, Footprints.of(manifest), List.of(), 1, 0, 0);
    }

    private long holds(String id, Span span) {
        workers.put(id, Fixtures.worker(id, 1L << 30, 1_000_000_000));
        long attachment = leases.attached(id, NOW);
        leases.dialled(id, attachment, Reach.DIRECT);
        ShardStatus shard =
                new ShardStatus(
                        model.id(),
                        span,
                        Phase.SERVING,
                        0,
                        0,
                        "",
                        512,
                        0,
                        0,
                        0,
                        0,
                        0,
                        Pace.UNKNOWN);
        leases.reported(id, attachment, 1, List.of(shard), NOW);
        return attachment;
    }

    private RouteAnswer repair(Set<String> lost, RepairWish.Head head) {
        TreeMap<String, ModelRecord> models = new TreeMap<>();
        models.put(model.id(), model);
        PoolState state =
                new PoolState(
                        Policy.DEFAULT,
                        workers,
                        models,
                        new Placement(1, 0, new TreeMap<>()),
                        new TreeMap<>(),
                        List.of());
        PoolRepairs repairs =
                new PoolRepairs(
                        () -> state,
                        new Attendance(() -> state, leases, () -> NOW),
                        new LatencyTable(),
                        new RecentLosses(),
                        _ -> "",
                        ticket -> new SealedTicket(ticket, new byte[1], new byte[1], "key"),
                        () -> NOW);
        Ticket current =
                new Ticket(
                        new SessionId(1, 2),
                        1,
                        model.id(),
                        6,
                        List.of(
                                new RouteStage("a", "a.test:4000", new Span(0, 3)),
                                new RouteStage("b", "b.test:4000", new Span(3, 6))),
                        "",
                        100,
                        NOW + 60_000,
                        1);
        return repairs.repair(new RepairWish(current, lost, 17, head));
    }

    @Test
    void whoeverIsBlamedButReportsAsEverIsWaitedFor() {
        assertThat(repair(Set.of("b"), RepairWish.Head.MAY_GO))
                .isInstanceOfSatisfying(
                        RouteAnswer.None.class,
                        none -> assertThat(none.prospect()).isEqualTo(Prospect.HEALING));
        assertThat(repair(Set.of(), RepairWish.Head.MAY_GO)).isInstanceOf(RouteAnswer.Found.class);
    }

    @Test
    void whoeverIsAwayIsNot() {
        leases.ended("b", behind, NOW);
        assertThat(repair(Set.of("b"), RepairWish.Head.MAY_GO))
                .isInstanceOfSatisfying(
                        RouteAnswer.None.class,
                        none -> assertThat(none.prospect()).isEqualTo(Prospect.NONE));
    }

    @Test
    void aHeadAsksAgainByItself() {
        assertThat(repair(Set.of("b"), RepairWish.Head.STAYS))
                .isInstanceOfSatisfying(
                        RouteAnswer.None.class,
                        none -> assertThat(none.prospect()).isEqualTo(Prospect.NONE));
    }
}
