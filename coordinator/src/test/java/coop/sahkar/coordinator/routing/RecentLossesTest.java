package coop.sahkar.coordinator.routing;

import static coop.sahkar.coordinator.routing.RecentLosses.FIRST_MILLIS;
import static coop.sahkar.coordinator.routing.RecentLosses.PAIR_MICROS;
import static coop.sahkar.coordinator.routing.RecentLosses.WORKER_MICROS;
import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecentLossesTest {
    private final RecentLosses losses = new RecentLosses();

    private static Ticket route(String... workers) {
        List<RouteStage> stages = new ArrayList<>();
        for (String worker : workers) {
            Span span = new Span(2 * stages.size(), 2 * stages.size() + 2);
            stages.add(new RouteStage(worker, worker + ":1", span));
        }
        return new Ticket(
                new SessionId(1, 2), 1, "m@d", 2 * stages.size(), stages, "", 20, 1_000, 1);
    }

    private static StageOffer offer(String worker, int first, int end) {
        return offer(worker, first, end, 1_000);
    }

    private static StageOffer offer(String worker, int first, int end, long micros) {
        return new StageOffer(worker, worker + ":1", new Span(first, end), micros, 64, 64, 0, 0);
    }

    private long micros(String from, String to, long nowMillis) {
        return losses.micros(offer(from, 0, 2), offer(to, 2, 4), nowMillis);
    }

    private String drawn(long nowMillis, StageOffer... offers) {
        return Router.route(
                        6,
                        List.of(offers),
                        RouteTerms.room(10),
                        losses.over(Distances.NONE, nowMillis))
                .map(route -> route.stages().stream().map(StageOffer::workerId).toList())
                .map(names -> String.join(" ", names))
                .orElse("none");
    }

    @Test
    void theWaysOfALostWorkerBecomeDearThoseToItsNeighboursAboveAll() {
        losses.lost(route("a", "b", "c"), "b", 0);
        assertThat(micros("a", "b", 1)).isEqualTo(PAIR_MICROS + WORKER_MICROS);
        assertThat(micros("b", "a", 1)).isEqualTo(PAIR_MICROS);
        assertThat(micros("b", "c", 1)).isEqualTo(PAIR_MICROS);
        assertThat(micros("x", "b", 1)).isEqualTo(WORKER_MICROS);
        assertThat(micros("a", "c", 1)).isZero();
        losses.lost(route("a", "b", "c"), "nobody", 0);
        assertThat(micros("x", "nobody", 1)).isZero();
    }

    @Test
    void aRouteKeepsAwayFromThemWhileThereIsAnother() {
        StageOffer[] two = {
            offer("a", 0, 2), offer("b", 2, 4), offer("c", 4, 6), offer("b2", 2, 4, 2_000)
        };
        assertThat(drawn(0, two)).isEqualTo("a b c");
        losses.lost(route("a", "b", "c"), "b", 0);
        assertThat(drawn(1, two)).isEqualTo("a b2 c");
        assertThat(drawn(1, two[0], two[1], two[2])).isEqualTo("a b c");
        assertThat(drawn(FIRST_MILLIS, two)).isEqualTo("a b c");
    }

    @Test
    void whoWasStartedAgainElsewhereIsNotAvoided() {
        losses.lost(route("a", "b", "c"), "b", 0);
        StageOffer again = new StageOffer("b", "b:2", new Span(2, 4), 1_000, 64, 64, 0, 0);
        StageOffer dearer = offer("b2", 2, 4, 2_000);
        assertThat(drawn(1, offer("a", 0, 2), again, dearer, offer("c", 4, 6))).isEqualTo("a b c");
    }

    /** What one worker sends never comes: whoever stands behind it is blamed. */
    @Test
    void whoSpoilsItForSeveralNeighboursIsLeftOutInTheEnd() {
        StageOffer[] all = {
            offer("a", 0, 2),
            offer("a2", 0, 2),
            offer("b", 2, 4),
            offer("b2", 2, 4),
            offer("c", 4, 6)
        };
        losses.lost(route("a", "b", "c"), "b", 0);
        losses.lost(route("a", "b2", "c"), "b2", 1);
        assertThat(drawn(2, all)).startsWith("a2 ");
    }

    @Test
    void aLossThatComesBackIsRememberedForLonger() {
        Ticket route = route("a", "b");
        losses.lost(route, "b", 0);
        losses.lost(route, "b", 1_000);
        long end = 1_000 + FIRST_MILLIS;
        assertThat(micros("a", "b", end - 1)).isPositive();
        assertThat(micros("a", "b", end)).isZero();
        losses.lost(route, "b", end);
        assertThat(micros("a", "b", end + 2 * FIRST_MILLIS - 1)).isPositive();
        assertThat(micros("a", "b", end + 2 * FIRST_MILLIS)).isZero();
        long late = end + 4 * FIRST_MILLIS;
        losses.lost(route, "b", late);
        assertThat(micros("a", "b", late + FIRST_MILLIS)).isZero();
    }

    @Test
    void theOldestAreForgottenFirst() {
        for (int i = 0; i < RecentLosses.MAX_REMEMBERED; i++) {
            losses.lost(route("a" + i, "b" + i), "b" + i, 0);
        }
        assertThat(micros("a0", "b0", 1)).isZero();
        int last = RecentLosses.MAX_REMEMBERED - 1;
        assertThat(micros("a" + last, "b" + last, 1)).isPositive();
    }
}
