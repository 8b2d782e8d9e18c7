package coop.sahkar.client.routing;

import coop.sahkar.client.provider.Failure;
import java.time.Duration;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * All that a client remembers of its providers. Losing it costs a few requests in vain.
 *
 * @param pairs how each (provider, model) did
 * @param meters what was used of each provider
 */
public record Standings(
        SortedMap<Candidate.Pair, Standing> pairs, SortedMap<String, Meter> meters) {
    /** Nobody was asked yet. */
    public static final Standings NONE = new Standings(new TreeMap<>(), new TreeMap<>());

    /**
     * Names of models come from callers; the pairs rested longest ago are forgotten beyond this.
     */
    private static final int PAIRS_AT_MOST = 1024;

    public Standings {
        pairs = Collections.unmodifiableSortedMap(pairs);
        meters = Collections.unmodifiableSortedMap(meters);
    }

    Standing of(Candidate.Pair pair) {
        return pairs.getOrDefault(pair, Standing.NEW);
    }

    Meter meter(String provider) {
        return meters.getOrDefault(provider, Meter.NEW);
    }

    /** A request was sent to a candidate. */
    public Standings begun(Candidate candidate, Need need, long nowMillis) {
        long money =
                candidate
                        .offer()
                        .price()
                        .microDollars(need.promptTokens(), need.likelyAnswerTokens());
        return withMeter(
                candidate.profile().name(),
                meter -> meter.begun(need.likelyTokens(), money, nowMillis));
    }

    /**
     * It ended, in whatever way.
     *
     * @param promptTokens used, as far as is known
     * @param answerTokens used, as far as is known
     * @param begunMillis when it was sent
     */
    public Standings ended(
            Candidate candidate,
            Need need,
            long promptTokens,
            long answerTokens,
            long begunMillis,
            long nowMillis) {
        var price = candidate.offer().price();
        long money =
                price.microDollars(promptTokens, answerTokens)
                        - price.microDollars(need.promptTokens(), need.likelyAnswerTokens());
        long tokens = promptTokens + answerTokens - need.likelyTokens();
        return withMeter(
                candidate.profile().name(),
                meter -> meter.ended(tokens, money, begunMillis, nowMillis));
    }

    /** The first text came. */
    public Standings answered(Candidate.Pair pair, long millisToText) {
        return withPair(pair, standing -> standing.answered(millisToText));
    }

    /** It failed. */
    public Standings failed(Candidate.Pair pair, Failure failure, long nowMillis) {
        long stated = failure.retryAfter().map(Duration::toMillis).orElse(0L);
        return withPair(pair, s -> s.failed(failure.kind(), stated, nowMillis));
    }

    /** It takes nothing more for a while. */
    public Standings exhausted(Candidate.Pair pair, Duration rest, long nowMillis) {
        return withPair(pair, standing -> standing.exhausted(rest.toMillis(), nowMillis));
    }

    private Standings withPair(Candidate.Pair pair, UnaryOperator<Standing> change) {
        TreeMap<Candidate.Pair, Standing> changed = new TreeMap<>(pairs);
        changed.put(pair, change.apply(of(pair)));
        if (changed.size() > PAIRS_AT_MOST) {
            changed.entrySet().stream()
                    .filter(entry -> !entry.getKey().equals(pair))
                    .min((a, b) ->
                            Long.compare(
                                    a.getValue().restUntilMillis(), b.getValue().restUntilMillis()))
                    .ifPresent(oldest -> changed.remove(oldest.getKey()));
        }
        return new Standings(changed, meters);
    }

    private Standings withMeter(String provider, UnaryOperator<Meter> change) {
        TreeMap<String, Meter> changed = new TreeMap<>(meters);
        changed.put(provider, change.apply(meter(provider)));
        return new Standings(pairs, changed);
    }
}
