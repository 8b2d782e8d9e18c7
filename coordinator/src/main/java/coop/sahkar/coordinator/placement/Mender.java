package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gives the missing spans of one model to workers that have room, so that what stands need not
 * move. Where there is no room, copies of spans that others hold too may be evicted for it.
 */
final class Mender {
    private final Holding holding;
    private final List<Load> loads;
    private final int kvCells;
    private final boolean evicts;
    private final Cuts cuts;
    private Trial trial = new Trial();

    Mender(Holding holding, List<Load> loads, int kvCells, boolean evicts) {
        this.holding = holding;
        this.loads = loads;
        this.kvCells = kvCells;
        this.evicts = evicts;
        this.cuts = holding.model().cuts();
    }

    /** Whether the model is whole now; otherwise nothing has changed. */
    boolean mend() {
        trial = new Trial();
        for (Span gap : Gaps.of(holding)) {
            if (!holding.obtainable(gap) || !(whole(gap) || inParts(gap))) {
                trial.undo();
                return false;
            }
        }
        return true;
    }

    private boolean whole(Span gap) {
        long bytes = holding.costs().bytes(gap, kvCells);
        Load best = null;
        long bestCost = Long.MAX_VALUE;
        for (Load load : loads) {
            if (evicts || load.freeBytes() >= bytes) {
                long cost = cost(load, gap, bytes);
                if (cost < bestCost) {
                    best = load;
                    bestCost = cost;
                }
            }
        }
        return best != null && give(best, gap);
    }

    /**
     * What it costs to use a worker: bytes evicted above all, and most those of second copies; then
     * an idle worker is better than one that works, and a small one better than a large one. The
     * largest number when it cannot.
     */
    private long cost(Load load, Span gap, long bytes) {
        if (room(load) < bytes || !load.takes(holding, gap) || barred(load)) {
            return Long.MAX_VALUE;
        }
        long evicted = Math.max(0, bytes - load.freeBytes());
        long busy = load.idle() ? 0 : load.memoryBytes();
        long bared = evicted > 0 ? bared(load) : 0;
        return (evicted + bared) * 4 + busy + load.freeBytes() / 1024;
    }

    /** Bytes it holds of what one other worker alone would hold without it. */
    private static long bared(Load load) {
        long bytes = 0;
        for (Shard shard : load.shards()) {
            bytes += shard.model().holders(shard.span()) == 2 ? shard.bytes() : 0;
        }
        return bytes;
    }

    /**
     * Whether it holds a part of the model that it must keep: no worker stands in a chain twice.
     */
    private boolean barred(Load load) {
        Shard own = load.of(holding);
        return own != null && !(evicts && surplus(own));
    }

    private boolean inParts(Span gap) {
        List<Load> roomy = new ArrayList<>(loads);
        roomy.sort(Comparator.comparingLong((Load l) -> -room(l)).thenComparingInt(Load::index));
        int unit = gap.first() / cuts.grain();
        int end = gap.isTail(cuts.blockCount()) ? cuts.units() : gap.end() / cuts.grain();
        for (Load load : roomy) {
            Span part = barred(load) ? null : most(load, unit, end);
            if (part == null) {
                continue;
            }
            if (give(load, part)) {
                unit += Math.max(1, part.length() / cuts.grain());
                if (part.isTail(cuts.blockCount()) || unit >= end) {
                    return true;
                }
            }
        }
        return false;
    }

    private @Nullable Span most(Load load, int unit, int end) {
        Span most = null;
        for (int e = unit + 1; e <= end; e++) {
            Span span = cuts.span(unit, e);
            if (holding.costs().bytes(span, kvCells) > room(load) || !load.takes(holding, span)) {
                break;
            }
            most = span;
        }
        return most;
    }

    private boolean give(Load load, Span span) {
        if (evicts) {
            makeRoom(load, holding.costs().bytes(span, kvCells));
        }
        if (!holding.canGive(load, span, kvCells)) {
            return false;
        }
        trial.give(holding, load, span, kvCells);
        return true;
    }

    private void makeRoom(Load load, long bytes) {
        for (Shard shard : List.copyOf(load.shards())) {
            boolean inTheWay = shard.model() == holding || load.freeBytes() < bytes;
            if (inTheWay && surplus(shard)) {
                trial.evict(shard);
            }
        }
    }

    private long room(Load load) {
        long room = load.freeBytes();
        if (evicts) {
            for (Shard shard : load.shards()) {
                room += surplus(shard) ? shard.bytes() : 0;
            }
        }
        return room;
    }

    /** Whether somebody else is to hold the same span. */
    static boolean surplus(Shard shard) {
        return shard.model().holders(shard.span()) > 1;
    }
}
