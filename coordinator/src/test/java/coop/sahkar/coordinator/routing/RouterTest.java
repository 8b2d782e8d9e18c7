package coop.sahkar.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
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
        StageOffer busy = new StageOffer("a", "a:1", new Span(0, 4), 1000, 64, 64, 9, 0);
        StageOffer idle = new StageOffer("b", "b:1", new Span(0, 4), 1000, 64, 64, 0, 0);
        assertThat(route(4, busy, idle)).isEqualTo("b");
    }

    @Test
    void neverUsesAWorkerTwiceEvenWhereThatIsCheapest() {
        StageOffer slow = new StageOffer("z", "z:1", new Span(2, 4), 90_000, 64, 64, 0, 0);
        assertThat(route(4, offer("a", 0, 2), offer("a", 2, 4), slow)).isEqualTo("a z");
        assertThat(route(4, offer("a", 0, 2), offer("a", 2, 4))).isEqualTo("none");
    }

    @Test
    void keepsToWorkersWithRoom() {
        StageOffer full = new StageOffer("a", "a:1", new Span(0, 4), 1, 64, 9, 0, 0);
        StageOffer unknown =
                new StageOffer("b", "b:1", new Span(0, 4), 9000, 0, StageOffer.UNKNOWN, 0, 0);
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
    void goesTheShortWayAndCountsTheWayBack() {
        List<StageOffer> offers =
                List.of(offer("h", 0, 2), offer("near", 2, 4), offer("far", 2, 4));
        assertThat(through(offers, (from, to) -> way(from, to, "h near", "near h")))
                .isEqualTo("h near");
        assertThat(through(offers, (from, to) -> way(from, to, "h near", "h far", "far h")))
                .as("the way back of near is long")
                .isEqualTo("h far");
    }

    private static String through(List<StageOffer> offers, Distances distances) {
        return names(
                Router.route(4, offers, RouteTerms.room(1), distances).map(Router.Route::stages));
    }

    private static long way(StageOffer from, StageOffer to, String... shortWays) {
        return List.of(shortWays).contains(from.workerId() + " " + to.workerId()) ? 100 : 50_000;
    }

    @Test
    void takesFewStagesOnlyWhereThatIsFast() {
        StageOffer slowWhole = new StageOffer("s", "s:1", new Span(0, 4), 90_000, 64, 64, 0, 0);
        List<StageOffer> offers = List.of(slowWhole, offer("a", 0, 2), offer("b", 2, 4));
        assertThat(through(offers, (_, _) -> 10_000)).isEqualTo("a b");
        assertThat(through(offers, (_, _) -> 60_000)).isEqualTo("s");
    }

    @Test
    void keepsAPreferredChainUnlessAnotherIsClearlyFaster() {
        StageOffer held = new StageOffer("held", "h:1", new Span(0, 4), 8_000, 64, 64, 3, 0);
        StageOffer idle = new StageOffer("idle", "i:1", new Span(0, 4), 8_000, 64, 64, 0, 0);
        List<StageOffer> offers = List.of(held, idle);
        assertThat(preferring(offers, 0)).isEqualTo("idle");
        assertThat(preferring(offers, 10_000)).isEqualTo("held");
        StageOffer swamped = new StageOffer("held", "h:1", new Span(0, 4), 8_000, 64, 64, 40, 0);
        assertThat(preferring(List.of(swamped, idle), 10_000)).isEqualTo("idle");
    }

    private static String preferring(List<StageOffer> offers, long keptMicros) {
        RouteTerms terms = RouteTerms.of(1, List.of("held"), keptMicros, 7);
        return names(Router.route(4, offers, terms, Distances.NONE).map(Router.Route::stages));
    }

    @Test
    void requestsOfTheSameMomentGoToDifferentReplicas() {
        List<StageOffer> offers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            offers.add(offer("head" + i, 0, 2));
            offers.add(offer("tail" + i, 2, 4));
        }
        Map<String, Integer> taken = new TreeMap<>();
        for (int seed = 0; seed < 400; seed++) {
            RouteTerms terms = RouteTerms.of(1, List.of(), 0, seed);
            Router.route(4, offers, terms, Distances.NONE)
                    .orElseThrow()
                    .stages()
                    .forEach(stage -> taken.merge(stage.workerId(), 1, Integer::sum));
        }
        assertThat(taken).as("all 80 replicas get something").hasSize(80);
        assertThat(taken.values()).allMatch(times -> times < 40);
    }

    @Test
    void aReplicaThatIsClearlyBusierIsNotTakenByChance() {
        StageOffer busy = new StageOffer("b", "b:1", new Span(0, 4), 8_000, 64, 64, 2, 0);
        StageOffer idle = new StageOffer("i", "i:1", new Span(0, 4), 8_000, 64, 64, 0, 0);
        for (int seed = 0; seed < 200; seed++) {
            RouteTerms terms = RouteTerms.of(1, List.of(), 0, seed);
            assertThat(
                            names(
                                    Router.route(4, List.of(busy, idle), terms, Distances.NONE)
                                            .map(Router.Route::stages)))
                    .isEqualTo("i");
        }
    }

    @Test
    void hundredsOfReplicasAreRoutedInMillis() {
        Random random = new Random(5);
        List<StageOffer> offers = new ArrayList<>();
        for (int i = 0; i < 1_600; i++) {
            int first = 5 * (i % 16);
            offers.add(
                    new StageOffer(
                            "w" + i,
                            "w:" + i,
                            new Span(first, first + 5),
                            5_000 + random.nextInt(5_000),
                            4096,
                            4096,
                            random.nextInt(4),
                            0));
        }
        Distances distances =
                (from, to) -> 500 + StagePrice.noise(from.workerId(), to.span().first());
        assertThat(Router.route(80, offers, RouteTerms.room(1), distances)).isPresent();
        long began = System.nanoTime();
        for (int seed = 0; seed < 20; seed++) {
            Router.route(80, offers, RouteTerms.of(1, List.of(), 0, seed), distances);
        }
        long eachMillis = (System.nanoTime() - began) / 20_000_000;
        System.out.printf("a route over 100 replicas of 16 stages takes %d ms%n", eachMillis);
        assertThat(eachMillis).isLessThan(100);
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
        return new StageOffer(worker, worker + ":1", new Span(first, end), 1000, 64, 64, 0, 0);
    }

    private static String route(int blocks, StageOffer... offers) {
        return names(Router.route(blocks, List.of(offers), 1));
    }

    private static String names(Optional<List<StageOffer>> route) {
        return route.map(r -> String.join(" ", r.stream().map(StageOffer::workerId).toList()))
                .orElse("none");
    }
}
