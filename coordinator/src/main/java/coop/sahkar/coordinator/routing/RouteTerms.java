package coop.sahkar.coordinator.routing;

import java.util.Collection;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What a route is wanted for.
 *
 * @param positions KV positions every stage must have room for
 * @param prefer workers that hold a part of the session, or of its beginning, already
 * @param keptStageMicros what keeping one of them is worth, in microseconds per token: a route
 *     without it must be faster by more than this to be taken
 * @param seed decides between replicas that cost nearly the same
 */
public record RouteTerms(int positions, SortedSet<String> prefer, long keptStageMicros, long seed) {
    public RouteTerms {
        prefer = new TreeSet<>(prefer);
    }

    /** Room for so many positions, and nothing else. */
    static RouteTerms room(int positions) {
        return new RouteTerms(positions, new TreeSet<>(), 0, 0);
    }

    static RouteTerms of(int positions, Collection<String> prefer, long keptMicros, long seed) {
        return new RouteTerms(positions, new TreeSet<>(prefer), keptMicros, seed);
    }
}
