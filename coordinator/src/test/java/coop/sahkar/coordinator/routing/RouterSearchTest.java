package coop.sahkar.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The router against a search that tries everything, over random pools. */
class RouterSearchTest {
    private static final int SEEDS = 2_000;
    private static final int BLOCKS = 6;

    /** One pool with its distances. */
    private record Pool(List<StageOffer> offers, RouteTerms terms, Distances distances) {
        Optional<Router.Route> route() {
            return Router.route(BLOCKS, offers, terms, distances);
        }
    }

    @Test
    void findsTheBestRouteWhereEveryWorkerHasOneShard() {
        int found = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            Pool pool = pool(new Random(seed), true);
            OptionalLong best = best(pool, List.of());
            Optional<Router.Route> route = pool.route();
            assertThat(route.isPresent()).as("seed %d", seed).isEqualTo(best.isPresent());
            if (route.isPresent()) {
                found++;
                assertThat(route.get().micros()).as("seed %d", seed).isEqualTo(best.getAsLong());
                assertThat(cost(pool, route.get().stages())).isEqualTo(best.getAsLong());
            }
        }
        assertThat(found).isBetween(SEEDS / 4, SEEDS - SEEDS / 20);
    }

    @Test
    void findsTheBestOrNearlyWhereWorkersHaveSeveral() {
        int exact = 0;
        int found = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            Pool pool = pool(new Random(seed), false);
            OptionalLong best = best(pool, List.of());
            Optional<Router.Route> route = pool.route();
            assertThat(route.isPresent()).as("seed %d", seed).isEqualTo(best.isPresent());
            if (route.isPresent()) {
                found++;
                List<StageOffer> stages = route.get().stages();
                assertThat(stages).extracting(StageOffer::workerId).doesNotHaveDuplicates();
                assertThat(cost(pool, stages)).isEqualTo(route.get().micros());
                exact += route.get().micros() == best.getAsLong() ? 1 : 0;
            }
        }
        assertThat(found).isGreaterThan(SEEDS / 4);
        assertThat(exact).isGreaterThanOrEqualTo(found * 99 / 100);
    }

    private static Pool pool(Random random, boolean oneEach) {
        List<StageOffer> offers = new ArrayList<>();
        int count = 4 + random.nextInt(8);
        for (int i = 0; i < count; i++) {
            String id = "w" + (oneEach ? i : random.nextInt(6));
            int first = random.nextInt(3) * 2;
            int end = first + 2 * (1 + random.nextInt((BLOCKS - first) / 2));
            offers.add(
                    new StageOffer(
                            id,
                            id + ":1",
                            new Span(first, end),
                            100 + random.nextInt(20_000),
                            1000,
                            random.nextInt(1000),
                            random.nextInt(4),
                            random.nextInt(64)));
        }
        TreeMap<String, Long> ways = new TreeMap<>();
        Distances distances =
                (from, to) ->
                        ways.computeIfAbsent(
                                from.workerId() + " " + to.workerId(),
                                _ -> (long) random.nextInt(30_000));
        for (StageOffer from : offers) {
            offers.forEach(to -> distances.micros(from, to));
        }
        List<String> prefer = random.nextBoolean() ? List.of("w1", "w3") : List.of();
        return new Pool(offers, RouteTerms.of(300, prefer, 15_000, random.nextLong()), distances);
    }

    private static OptionalLong best(Pool pool, List<StageOffer> chain) {
        int at = chain.isEmpty() ? 0 : chain.getLast().span().end();
        if (at == BLOCKS) {
            return OptionalLong.of(cost(pool, chain));
        }
        OptionalLong best = OptionalLong.empty();
        for (StageOffer offer : pool.offers()) {
            boolean fits =
                    offer.span().first() == at
                            && offer.freePositions() >= pool.terms().positions()
                            && chain.stream().noneMatch(s -> s.workerId().equals(offer.workerId()));
            if (fits) {
                List<StageOffer> longer = new ArrayList<>(chain);
                longer.add(offer);
                OptionalLong with = best(pool, longer);
                if (with.isPresent() && (best.isEmpty() || with.getAsLong() < best.getAsLong())) {
                    best = with;
                }
            }
        }
        return best;
    }

    /** What a token's trip costs: prices, the ways between, and the way back. */
    private static long cost(Pool pool, List<StageOffer> chain) {
        long cost = 0;
        for (int i = 0; i < chain.size(); i++) {
            cost += StagePrice.micros(chain.get(i), pool.terms());
            if (chain.size() > 1) {
                cost += pool.distances().micros(chain.get(i), chain.get((i + 1) % chain.size()));
            }
        }
        return cost;
    }
}
