package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.Collection;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Whether a model outlives the loss of any one of its workers: whoever goes, the others still have
 * a chain, so that answers go on at once and not only after something was fetched.
 */
final class Redundancy {
    private Redundancy() {}

    /** Whether a chain is left when a worker has gone. */
    static boolean outlives(Holding model, Load gone) {
        SortedSet<Span> left = new TreeSet<>(model.spans());
        for (Shard own : gone.shards()) {
            if (own.model() == model && model.holders(own.span()) == 1) {
                left.remove(own.span());
            }
        }
        return Chains.shortest(model.blocks(), left) > 0;
    }

    /**
     * Workers without whom these shards would be no chain; the largest number when they are none.
     */
    static int indispensable(int blocks, Collection<Shard> shards) {
        SortedMap<Span, @Nullable Load> onlyHolder = new TreeMap<>();
        for (Shard shard : shards) {
            boolean alone =
                    !onlyHolder.containsKey(shard.span())
                            || onlyHolder.get(shard.span()) == shard.load();
            onlyHolder.put(shard.span(), alone ? shard.load() : null);
        }
        if (Chains.shortest(blocks, onlyHolder.keySet()) == 0) {
            return Integer.MAX_VALUE;
        }
        int count = 0;
        SortedSet<Integer> tried = new TreeSet<>();
        for (Load gone : onlyHolder.values()) {
            if (gone != null && tried.add(gone.index())) {
                SortedSet<Span> left = new TreeSet<>(onlyHolder.keySet());
                left.removeIf(span -> onlyHolder.get(span) == gone);
                count += Chains.shortest(blocks, left) == 0 ? 1 : 0;
            }
        }
        return count;
    }

    /**
     * Workers without whom there would be no chain.
     *
     * @param firsts by worker, the place at which its part begins; -1 when it holds nothing
     * @param ends by worker, the place at which its part ends
     * @param last the place at which the model ends
     */
    static int indispensable(int[] firsts, int[] ends, int last) {
        int count = 0;
        for (int gone = 0; gone < firsts.length; gone++) {
            count += firsts[gone] >= 0 && !reaches(firsts, ends, last, gone) ? 1 : 0;
        }
        return count;
    }

    private static boolean reaches(int[] firsts, int[] ends, int last, int gone) {
        boolean[] reached = new boolean[last + 1];
        reached[0] = true;
        for (int place = 0; place < last; place++) {
            for (int load = 0; reached[place] && load < firsts.length; load++) {
                if (firsts[load] == place && load != gone) {
                    reached[ends[load]] = true;
                }
            }
        }
        return reached[last];
    }
}
