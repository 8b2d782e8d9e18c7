package coop.sahkar.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RouterTest {
    @Test
    void tilesTheModel() {
        assertThat(route(6, offer("b", 2, 4), offer("c", 4, 6), offer("a", 0, 2)))
                .isEqualTo("a b c");
    }

    @Test
    void findsNoneWhenABlockIsMissing() {
        assertThat(route(6, offer("a", 0, 2), offer("c", 4, 6))).isEqualTo("none");
        assertThat(route(6, offer("a", 0, 3), offer("c", 2, 6))).isEqualTo("none");
    }

    @Test
    void prefersFewerHopsThenTheLessBusy() {
        assertThat(route(4, offer("a", 0, 2), offer("b", 2, 4), offer("c", 0, 4))).isEqualTo("c");
        StageOffer busy = new StageOffer("a", "a:1", new Span(0, 4), 1000, 64, 64, 9);
        StageOffer idle = new StageOffer("b", "b:1", new Span(0, 4), 1000, 64, 64, 0);
        assertThat(route(4, busy, idle)).isEqualTo("b");
    }

    @Test
    void neverUsesAWorkerTwiceEvenWhereThatIsCheapest() {
        StageOffer slow = new StageOffer("z", "z:1", new Span(2, 4), 90_000, 64, 64, 0);
        assertThat(route(4, offer("a", 0, 2), offer("a", 2, 4), slow)).isEqualTo("a z");
        assertThat(route(4, offer("a", 0, 2), offer("a", 2, 4))).isEqualTo("none");
    }

    @Test
    void keepsToWorkersWithRoom() {
        StageOffer full = new StageOffer("a", "a:1", new Span(0, 4), 1, 64, 9, 0);
        StageOffer unknown =
                new StageOffer("b", "b:1", new Span(0, 4), 9000, 0, StageOffer.UNKNOWN, 0);
        assertThat(names(Router.route(4, List.of(full, unknown), 10))).isEqualTo("b");
        assertThat(names(Router.route(4, List.of(full, unknown), 9))).isEqualTo("a");
        assertThat(names(Router.route(4, List.of(full), 10))).isEqualTo("none");
    }

    @Test
    void everyRouteOfRandomOffersTilesWithDistinctWorkers() {
        Random random = new Random(3);
        int found = 0;
        for (int round = 0; round < 500; round++) {
            List<StageOffer> offers = new ArrayList<>();
            for (int i = 0; i < 14; i++) {
                int first = random.nextInt(8);
                int end = first + 1 + random.nextInt(8 - first);
                offers.add(offer("w" + random.nextInt(8), first, end));
            }
            Optional<List<StageOffer>> route = Router.route(8, offers, 0);
            found += route.isPresent() ? 1 : 0;
            route.ifPresent(RouterTest::checkTiles);
        }
        assertThat(found).isGreaterThan(50);
    }

    @Test
    void namesMissingBlocks() {
        List<Span> missing = Coverage.missing(8, List.of(new Span(1, 3), new Span(4, 6)));
        assertThat(missing).containsExactly(new Span(0, 1), new Span(3, 4), new Span(6, 8));
        assertThat(Coverage.inWords(missing)).isEqualTo("block 0, block 3 and blocks 6 to 7");
    }

    private static void checkTiles(List<StageOffer> route) {
        int next = 0;
        for (StageOffer stage : route) {
            assertThat(stage.span().first()).isEqualTo(next);
            next = stage.span().end();
        }
        assertThat(next).isEqualTo(8);
        assertThat(route).extracting(StageOffer::workerId).doesNotHaveDuplicates();
    }

    private static StageOffer offer(String worker, int first, int end) {
        return new StageOffer(worker, worker + ":1", new Span(first, end), 1000, 64, 64, 0);
    }

    private static String route(int blocks, StageOffer... offers) {
        return names(Router.route(blocks, List.of(offers), 1));
    }

    private static String names(Optional<List<StageOffer>> route) {
        return route.map(r -> String.join(" ", r.stream().map(StageOffer::workerId).toList()))
                .orElse("none");
    }
}
