package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes before it breaks: a model that is served now keeps a serving chain at every moment of a
 * change, and does not come to depend on more workers meanwhile where everything has room beside
 * each other. What serves and is to go stays until what replaces it serves; what has no room beside
 * it waits until then.
 *
 * <p>A model that is not whole has nothing to break, but may lose the last copy of a block: what
 * serves blocks that nobody else does stays until others serve them, where it has room beside what
 * is given. So a worker that returns finds the others as it left them, if fetching anew fails.
 */
final class Handover {
    /** Any number of workers, so that it is a chain. */
    private static final int CHAIN = Integer.MAX_VALUE - 1;

    private final Holding model;
    private final List<Shard> before;
    private final List<Shard> target;
    private final List<Shard> leaving = new ArrayList<>();
    private final List<Shard> serving = new ArrayList<>();

    /** Whether what serves now is a chain. */
    private final boolean whole;

    /** Whether it is one without those who are about to leave. */
    private final boolean wholeWithoutLeavers;

    /** Workers that what stays until then may depend on. */
    private int mostIndispensable = CHAIN;

    /** Of a model that has the shards it is to have in the end. */
    Handover(Holding model) {
        this.model = model;
        // Of two that could both go, the one that is about to leave goes.
        this.before = new ArrayList<>(model.leaving());
        before.addAll(model.before());
        this.target = List.copyOf(model.shards());
        // Nothing is given up on the word of those who are only taken to serve, if it need not be.
        this.whole = sorted(true) || sorted(false);
        List<Shard> all = new ArrayList<>(serving);
        all.addAll(leaving);
        this.wholeWithoutLeavers = whole && chain(withoutLeavers(all));
        if (whole && !leaving.isEmpty()) {
            int before = Redundancy.indispensable(model.blocks(), all);
            int after = Redundancy.indispensable(model.blocks(), target);
            mostIndispensable = Math.min(CHAIN, Math.max(before, after));
            if (!beside(needed(leaving, serving)).containsAll(target)) {
                mostIndispensable = CHAIN;
            }
        }
    }

    /** Tells apart what serves and stays, and what serves and leaves; whether it is a chain. */
    private boolean sorted(boolean heardOnly) {
        leaving.clear();
        serving.clear();
        for (Shard shard : before) {
            if (shard.serving() && (shard.load().heard() || !heardOnly)) {
                (stays(shard) ? serving : leaving).add(shard);
            }
        }
        List<Shard> all = new ArrayList<>(serving);
        all.addAll(leaving);
        return chain(all);
    }

    private static boolean stays(Shard shard) {
        for (Shard held : shard.load().shards()) {
            if (held.model() == shard.model() && held.same(shard)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the target is reached when every shard that is given comes to serve. */
    boolean completes() {
        List<Shard> needed = needed(leaving, serving);
        while (!needed.isEmpty()) {
            List<Shard> reached = new ArrayList<>(beside(needed));
            reached.removeAll(needed);
            List<Shard> still = needed(needed, reached);
            if (still.size() == needed.size()) {
                return false;
            }
            needed = still;
        }
        return true;
    }

    /** Gives the model what it can have now: the target as far as it fits beside what stays. */
    void stage() {
        List<Shard> needed = needed(leaving, serving);
        if (!whole) {
            List<Shard> kept = new ArrayList<>();
            for (Shard shard : needed) {
                if (hasRoom(shard, kept) || !(sourced() || renewed(shard))) {
                    kept.add(shard);
                }
            }
            needed = kept;
        }
        if (!needed.isEmpty()) {
            List<Shard> now = beside(needed);
            model.clear();
            now.forEach(model::put);
        }
    }

    private boolean sourced() {
        return model.model().sourced();
    }

    /** Whether there is room for a shard beside what its worker is given, and what stays. */
    private static boolean hasRoom(Shard stays, List<Shard> others) {
        long free = stays.load().freeBytes();
        for (Shard other : others) {
            free -= other.load() == stays.load() ? other.bytes() : 0;
        }
        return free >= stays.bytes();
    }

    /** Whether its worker is given its blocks again. */
    private static boolean renewed(Shard shard) {
        return shard.load().shards().stream()
                .anyMatch(given -> given.model() == shard.model() && within(shard, List.of(given)));
    }

    private List<Shard> beside(List<Shard> needed) {
        List<Shard> now = new ArrayList<>(needed);
        for (Shard shard : target) {
            if (before.stream().anyMatch(shard::same) || fits(shard, needed)) {
                now.add(shard);
            }
        }
        return now;
    }

    private static boolean fits(Shard shard, List<Shard> needed) {
        long free = shard.load().freeBytes();
        for (Shard stays : needed) {
            if (stays.load() == shard.load()) {
                free -= stays.bytes();
                if (stays.span().equals(shard.span())) {
                    return false;
                }
            }
        }
        return free >= 0;
    }

    /**
     * Those of {@code some} without which no chain would serve beside {@code others}, or one that
     * depends on too many workers; of a model that is not whole, those with a block of their own.
     */
    private List<Shard> needed(List<Shard> some, List<Shard> others) {
        List<Shard> kept = new ArrayList<>(some);
        for (Shard shard : some) {
            kept.remove(shard);
            List<Shard> left = new ArrayList<>(others);
            left.addAll(kept);
            if (!(whole ? spared(shard, left) : within(shard, left))) {
                kept.add(shard);
            }
        }
        return kept;
    }

    /** Whether a chain is left, and one as good; nobody gives up anything for one that leaves. */
    private boolean spared(Shard shard, List<Shard> left) {
        boolean leaves = model.leaving().contains(shard);
        return Redundancy.indispensable(model.blocks(), left) <= mostIndispensable
                && chain(left)
                && (leaves || !wholeWithoutLeavers || chain(withoutLeavers(left)));
    }

    private List<Shard> withoutLeavers(List<Shard> shards) {
        return shards.stream().filter(shard -> !model.leaving().contains(shard)).toList();
    }

    /** Whether every block of a shard is in one of the others. */
    private static boolean within(Shard shard, List<Shard> others) {
        for (int block = shard.span().first(); block < shard.span().end(); block++) {
            int one = block;
            if (others.stream().noneMatch(o -> o.span().first() <= one && one < o.span().end())) {
                return false;
            }
        }
        return true;
    }

    private boolean chain(List<Shard> shards) {
        Set<Span> spans = new LinkedHashSet<>();
        Set<Load> workers = new LinkedHashSet<>();
        for (Shard shard : shards) {
            spans.add(shard.span());
            workers.add(shard.load());
        }
        if (Chains.shortest(model.blocks(), spans) == 0) {
            return false;
        }
        return workers.size() == shards.size()
                || Chains.all(model.blocks(), spans).stream()
                        .anyMatch(chain -> manned(chain, shards));
    }

    /** Whether every span of a chain has a worker to itself. */
    private static boolean manned(List<Span> chain, List<Shard> shards) {
        Map<Load, Span> seats = new LinkedHashMap<>();
        for (Span span : chain) {
            if (!seated(span, shards, seats, new LinkedHashSet<>())) {
                return false;
            }
        }
        return true;
    }

    /** Finds a worker for a span, if need be one that can be spared elsewhere. */
    private static boolean seated(
            Span span, List<Shard> shards, Map<Load, Span> seats, Set<Load> tried) {
        for (Shard shard : shards) {
            Load load = shard.load();
            if (shard.span().equals(span) && tried.add(load)) {
                Span other = seats.get(load);
                if (other == null || seated(other, shards, seats, tried)) {
                    seats.put(load, span);
                    return true;
                }
            }
        }
        return false;
    }
}
