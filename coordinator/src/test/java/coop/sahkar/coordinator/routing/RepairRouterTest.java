package coop.sahkar.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Span;
import java.util.List;
import org.junit.jupiter.api.Test;

class RepairRouterTest {
    private static final RouteStage A = stage("a", 0, 2);
    private static final RouteStage B = stage("b", 2, 4);
    private static final RouteStage C = stage("c", 4, 6);

    private static RouteStage stage(String worker, int first, int end) {
        return new RouteStage(worker, worker + ":1", new Span(first, end));
    }

    private static StageOffer offer(String worker, int first, int end) {
        return offer(worker, first, end, 1000, 64);
    }

    private static StageOffer offer(String worker, int first, int end, long micros, long free) {
        return new StageOffer(worker, worker + ":1", new Span(first, end), micros, 64, free, 0, 0);
    }

    private static String repair(List<RouteStage> surviving, StageOffer... offers) {
        return repair(true, surviving, offers);
    }

    private static String repair(
            boolean keepHead, List<RouteStage> surviving, StageOffer... offers) {
        return RepairRouter.route(
                        6,
                        surviving,
                        List.of(offers),
                        keepHead,
                        RouteTerms.room(10),
                        Distances.NONE)
                .map(route -> String.join(" ", route.stream().map(StageOffer::workerId).toList()))
                .orElse("none");
    }

    @Test
    void onlyTheLostStageIsReplaced() {
        StageOffer[] all = {
            offer("a2", 0, 2, 1, 64), offer("b2", 2, 4), offer("c2", 4, 6, 1, 64), offer("w", 0, 6)
        };
        assertThat(repair(List.of(A, C), all)).isEqualTo("a b2 c");
        assertThat(repair(List.of(A, B), all)).isEqualTo("a b c2");
        assertThat(repair(List.of(B, C), all)).isEqualTo("a2 b c");
        assertThat(repair(List.of(B), all)).isEqualTo("a2 b c2");
    }

    @Test
    void aHoleMayBeFilledByOtherCuts() {
        assertThat(repair(List.of(A, C), offer("x", 2, 3), offer("y", 3, 4))).isEqualTo("a x y c");
        assertThat(repair(List.of(A), offer("x", 2, 6))).isEqualTo("a x");
    }

    @Test
    void survivorsNeedNoRoomAndNewcomersDo() {
        assertThat(repair(List.of(A, C), offer("full", 2, 4, 1, 9), offer("b2", 2, 4)))
                .isEqualTo("a b2 c");
        assertThat(repair(List.of(A, C), offer("full", 2, 4, 1, 9))).isEqualTo("none");
    }

    @Test
    void aSurvivorDoesNotStandInForAnotherStage() {
        assertThat(repair(List.of(A, C), offer("c", 2, 4))).isEqualTo("none");
    }

    @Test
    void wherePartsOverlapTheHeadStaysAndAsManyOthersAsTheyCan() {
        assertThat(repair(List.of(A, C), offer("x", 2, 6), offer("h", 0, 2, 1, 64)))
                .isEqualTo("a x");
        assertThat(repair(List.of(A, B), offer("x", 2, 6))).isEqualTo("a x");
        assertThat(repair(List.of(B, C), offer("x", 0, 3), offer("y", 3, 4))).isEqualTo("x y c");
    }

    @Test
    void aHeadThatNothingFitsBehindMayGoWhereThatIsAllowed() {
        StageOffer[] cutAnew = {offer("x", 0, 3), offer("a", 3, 6)};
        assertThat(repair(true, List.of(A), cutAnew)).isEqualTo("none");
        assertThat(repair(false, List.of(A), cutAnew)).isEqualTo("x a");
        StageOffer[] fitting = {offer("x", 0, 3, 1, 64), offer("y", 3, 6, 1, 64), offer("z", 2, 6)};
        assertThat(repair(false, List.of(A), fitting)).isEqualTo("a z");
    }

    @Test
    void nothingFitsWhereAHoleStays() {
        assertThat(repair(List.of(A, C))).isEqualTo("none");
        assertThat(repair(List.of(A, C), offer("x", 2, 3))).isEqualTo("none");
    }
}
