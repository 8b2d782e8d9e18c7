package coop.sahkar.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.routing.RepairLog.Stage;
import coop.sahkar.proto.SessionId;
import java.util.List;
import org.junit.jupiter.api.Test;

class RepairLogTest {
    private static final SessionId SESSION = new SessionId(1, 1);

    private long nowMillis = 1_000;
    private final RepairLog log = new RepairLog(() -> nowMillis);

    @Test
    void followsARepairToItsEnd() {
        begin(SESSION, 2);
        assertThat(log.view().running()).isEqualTo(1);
        nowMillis += 40;
        log.finished(SESSION, 2);
        RepairLog.View view = log.view();
        assertThat(view.running()).isZero();
        assertThat(view.finished()).isEqualTo(1);
        RepairLog.Entry entry = view.last().getFirst();
        assertThat(entry.stage()).isEqualTo(Stage.FINISHED);
        assertThat(entry.agoMillis()).isEqualTo(40);
        assertThat(entry.lost()).containsExactly("w");
    }

    @Test
    void aRepairIsAskedForAgainWhileThereIsNoRouteAndFailsOnce() {
        for (int i = 0; i < 20; i++) {
            begin(SESSION, 2);
            log.noRoute(SESSION, 2, "no spare");
            nowMillis += 500;
        }
        assertThat(log.view().last()).hasSize(1);
        assertThat(log.view().running()).isEqualTo(1);
        assertThat(log.view().last().getFirst().cause()).isEqualTo("no spare");
        nowMillis += RepairLog.QUIET_MILLIS;
        assertThat(log.view().failed()).isEqualTo(1);
        assertThat(log.view().finished()).isZero();
    }

    @Test
    void aHeadThatWasGivenUpIsToldApartFromTheOneThatTookOver() {
        begin(SESSION, 17);
        assertThat(log.superseded(SESSION, 2)).as("asked for by the head of epoch 1").isTrue();
        assertThat(log.superseded(SESSION, 17)).as("the same repair").isFalse();
        assertThat(log.superseded(SESSION, 18)).as("by the head of epoch 17").isFalse();
        assertThat(log.superseded(new SessionId(1, 2), 2)).isFalse();
    }

    @Test
    void aRouteThatIsFoundAfterAllIsNoFailure() {
        begin(SESSION, 2);
        log.noRoute(SESSION, 2, "no spare");
        begin(SESSION, 2);
        log.finished(SESSION, 2);
        assertThat(log.view().finished()).isEqualTo(1);
        assertThat(log.view().failed()).isZero();
    }

    @Test
    void aSessionThatEndsWellDidWithoutTheRouteItWished() {
        begin(SESSION, 2);
        log.noRoute(SESSION, 2, "nobody can stand in for who leaves");
        log.ended(SESSION, true);
        assertThat(log.view().last()).isEmpty();
        assertThat(log.view().failed()).isZero();
        assertThat(log.view().finished()).isZero();
    }

    @Test
    void aSessionThatEndsBadlyWasNotRepaired() {
        begin(SESSION, 2);
        log.noRoute(SESSION, 2, "no spare");
        log.ended(SESSION, false);
        log.ended(SESSION, false);
        assertThat(log.view().failed()).isEqualTo(1);
        begin(new SessionId(1, 2), 2);
        log.ended(new SessionId(1, 2), true);
        assertThat(log.view().finished()).isEqualTo(1);
        assertThat(log.view().running()).isZero();
    }

    @Test
    void anotherRepairOfTheSameSessionMeansThatTheLastDidNotHelp() {
        begin(SESSION, 2);
        nowMillis += 100;
        begin(SESSION, 3);
        assertThat(log.view().failed()).isEqualTo(1);
        assertThat(log.view().running()).isEqualTo(1);
    }

    @Test
    void withoutAComplaintARepairIsTakenForFinished() {
        begin(SESSION, 2);
        nowMillis += RepairLog.QUIET_MILLIS - 1;
        assertThat(log.view().running()).isEqualTo(1);
        nowMillis += 1;
        begin(SESSION, 3);
        assertThat(log.view().finished()).isEqualTo(1);
        assertThat(log.view().failed()).isZero();
    }

    @Test
    void remembersTheLastFewAndCountsAll() {
        for (int i = 0; i < RepairLog.KEPT + 5; i++) {
            begin(new SessionId(2, i), 2);
        }
        assertThat(log.view().last()).hasSize(RepairLog.KEPT);
        assertThat(log.view().finished()).isEqualTo(5);
    }

    private void begin(SessionId session, int epoch) {
        log.begun(session, "m@1", epoch, List.of("w"), "its link closed");
    }
}
