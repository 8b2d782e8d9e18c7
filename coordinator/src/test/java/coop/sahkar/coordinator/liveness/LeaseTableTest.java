package coop.sahkar.coordinator.liveness;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.liveness.ShardStatus.Phase;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class LeaseTableTest {
    private static final int LEASE = 10_000;
    private static final int GRACE = 2000;
    private final LeaseTable table = new LeaseTable(1000);

    @Test
    void awaitsWorkersForOneLeaseAfterTheStart() {
        assertThat(at(1000 + LEASE - 1).standing()).isEqualTo(Standing.AWAITED);
        assertThat(at(1000 + LEASE).standing()).isEqualTo(Standing.GONE);
    }

    @Test
    void aWorkerIsHereWhileItReportsAndGoneWhenItsLeaseRunsOut() {
        long stream = table.attached("w", 2000);
        assertThat(at(2000 + LEASE - 1).standing()).isEqualTo(Standing.HERE);
        assertThat(table.reported("w", stream, 1, List.of(serving()), 5000)).isTrue();
        assertThat(table.reported("w", stream, 1, List.of(serving()), 5001)).isFalse();
        assertThat(at(5001 + LEASE - 1).shards()).containsExactly(serving());
        assertThat(at(5001 + LEASE).standing()).isEqualTo(Standing.GONE);
        assertThat(at(5001 + LEASE).shards()).isEmpty();
    }

    @Test
    void aBrokenStreamIsNoticedAtOnceAndForgivenForAMoment() {
        long stream = table.attached("w", 2000);
        table.reported("w", stream, 1, List.of(serving()), 2000);
        table.ended("w", stream, 2500);
        assertThat(at(2500).standing()).isEqualTo(Standing.BROKEN_OFF);
        assertThat(at(2500).shards()).isEmpty();
        assertThat(at(2500 + GRACE).standing()).isEqualTo(Standing.GONE);
        table.attached("w", 9000);
        assertThat(at(9000).standing()).isEqualTo(Standing.HERE);
    }

    @Test
    void aLeavingWorkerLosesItsPlaceAndIsGoneWithItsStream() {
        long stream = table.attached("w", 2000);
        table.reported("w", stream, 1, List.of(serving()), 2000);
        table.left("w", stream);
        assertThat(at(2000).standing()).isEqualTo(Standing.LEAVING);
        assertThat(at(2000).keepsItsPlace()).isFalse();
        assertThat(table.reported("w", stream, 1, List.of(serving()), 2100)).isTrue();
        assertThat(at(2100).shards()).containsExactly(serving());
        table.ended("w", stream, 2200);
        assertThat(at(2200).standing()).isEqualTo(Standing.GONE);
        assertThat(at(2200).shards()).isEmpty();
    }

    @Test
    void whatThePoolHasForgottenIsForgottenUnlessItIsAttaching() {
        table.ended("w", table.attached("w", 2000), 2000);
        table.attached("new", 2000);
        assertThat(table.presence(List.of(), LEASE, GRACE, 2000)).isEmpty();
        assertThat(at(2000).standing()).as("as one never heard of").isEqualTo(Standing.AWAITED);
        assertThat(table.presence(List.of("new"), LEASE, GRACE, 2000).values())
                .extracting(WorkerPresence::standing)
                .containsExactly(Standing.HERE);
    }

    @Test
    void theEndOfAnOldStreamDoesNotHurtANewOne() {
        long old = table.attached("w", 2000);
        long fresh = table.attached("w", 2100);
        table.ended("w", old, 2200);
        table.left("w", old);
        assertThat(table.reported("w", old, 9, List.of(serving()), 2300)).isFalse();
        assertThat(at(2300).standing()).isEqualTo(Standing.HERE);
        assertThat(at(2300).shards()).isEmpty();
        assertThat(table.reported("w", fresh, 1, List.of(serving()), 2400)).isTrue();
    }

    @Test
    void countsSessionsUntilAReportMustShowThem() {
        long stream = table.attached("w", 2000);
        table.drawn(ticket(1, 1, 100), 2000);
        table.drawn(ticket(2, 1, 50), 2200);
        assertThat(unreported(2200)).isEqualTo(new Unreported(2, 150));
        table.reported("w", stream, 1, List.of(serving()), 2000 + Reservations.SETTLE_MILLIS);
        assertThat(unreported(2300))
                .as("the second may not be in it")
                .isEqualTo(new Unreported(1, 50));
        table.reported("w", stream, 1, List.of(serving()), 3300);
        assertThat(unreported(3300)).isEqualTo(Unreported.NONE);
    }

    @Test
    void aSessionThatEndsBeforeTheNextReportTakesNoRoomAnyMore() {
        long stream = table.attached("w", 2000);
        table.drawn(ticket(1, 1, 100), 2000);
        table.drawn(ticket(2, 1, 50), 2000);
        table.released(ticket(1, 1, 100));
        assertThat(unreported(2000)).isEqualTo(new Unreported(1, 50));
        table.reported("w", stream, 1, List.of(serving()), 3000);
        table.released(ticket(2, 1, 50));
        assertThat(unreported(3000))
                .as("the report still counts it")
                .isEqualTo(new Unreported(-1, -50));
        table.reported("w", stream, 1, List.of(serving()), 4000);
        assertThat(unreported(4000)).isEqualTo(Unreported.NONE);
    }

    @Test
    void theEndOfAnOldRouteLeavesTheNewOneItsRoom() {
        table.attached("w", 2000);
        table.drawn(ticket(1, 1, 100), 2000);
        table.drawn(ticket(1, 2, 100), 2100);
        table.released(ticket(1, 1, 100));
        assertThat(unreported(2100)).isEqualTo(new Unreported(1, 100));
        assertThat(table.held("w", new SessionId(1, 1))).isEqualTo(100);
        table.released(ticket(1, 2, 100));
        assertThat(table.held("w", new SessionId(1, 1))).isZero();
    }

    @Test
    void knowsWhoHoldsAModel() {
        long stream = table.attached("w", 2000);
        table.attached("v", 2000);
        table.reported("w", stream, 1, List.of(serving()), 2000);
        assertThat(table.holders("m", LEASE, GRACE, 2000)).containsOnlyKeys("w");
        table.reported("w", stream, 2, List.of(), 2100);
        assertThat(table.holders("m", LEASE, GRACE, 2100)).isEmpty();
        table.reported("w", stream, 3, List.of(serving()), 2200);
        table.ended("w", stream, 2300);
        assertThat(table.holders("m", LEASE, GRACE, 2300)).isEmpty();
    }

    private Unreported unreported(long nowMillis) {
        return at(nowMillis).unreported("m");
    }

    private static Ticket ticket(int session, int epoch, int positions) {
        return new Ticket(
                new SessionId(1, session),
                epoch,
                "m",
                2,
                List.of(new RouteStage("w", "w:1", new Span(0, 2))),
                "",
                positions,
                Long.MAX_VALUE,
                1);
    }

    @Test
    void aRouteThatGoesOverToAnotherWorkerFreesTheOneBefore() {
        table.attached("w", 2000);
        Ticket first = ticket(1, 1, 100);
        table.drawn(first, 2000);
        Ticket elsewhere =
                new Ticket(
                        first.session(),
                        2,
                        first.modelId(),
                        first.blockCount(),
                        List.of(new RouteStage("v", "v:1", new Span(0, 2))),
                        "",
                        100,
                        Long.MAX_VALUE,
                        1);
        table.rerouted(first, elsewhere, 2100);
        assertThat(unreported(2100)).isEqualTo(Unreported.NONE);
        table.rerouted(elsewhere, ticket(1, 3, 100), 2200);
        table.rerouted(ticket(1, 3, 100), ticket(1, 4, 100), 2200);
        assertThat(unreported(2200)).as("kept stages").isEqualTo(new Unreported(1, 100));
    }

    private WorkerPresence at(long nowMillis) {
        return Objects.requireNonNull(
                table.presence(List.of("w"), LEASE, GRACE, nowMillis).get("w"));
    }

    private static ShardStatus serving() {
        return new ShardStatus(
                "m",
                new Span(0, 2),
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
    }
}
