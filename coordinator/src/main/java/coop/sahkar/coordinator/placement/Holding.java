package coop.sahkar.coordinator.placement;

import coop.sahkar.coordinator.routing.Coverage;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** One model while a plan is made: who is to hold which of its spans. */
final class Holding {
    private static final int UNKNOWN = -1;

    private final PlanModel model;
    private final Costs costs;
    private final boolean[] served;
    private final List<Shard> shards = new ArrayList<>();
    private List<Shard> before = List.of();
    private final List<Shard> leaving = new ArrayList<>();
    private final SortedMap<Span, Integer> holders = new TreeMap<>();

    /** Of all shards the fewest; {@link #UNKNOWN} when that is to be found out again. */
    private int fewestCells = UNKNOWN;

    Holding(PlanModel model) {
        this.model = model;
        this.costs = new Costs(model.footprint());
        this.served = new boolean[blocks()];
    }

    String id() {
        return model.id();
    }

    PlanModel model() {
        return model;
    }

    Costs costs() {
        return costs;
    }

    int blocks() {
        return model.footprint().blockCount();
    }

    List<Shard> shards() {
        return shards;
    }

    /** What it has now is what stands: the placement in force, at workers that are here. */
    void stands() {
        before = List.copyOf(shards);
    }

    /** What stood when the plan was begun. */
    List<Shard> before() {
        return before;
    }

    /** Whether everybody keeps what stood when the plan was begun. */
    boolean onlyGrew() {
        return shards.size() >= before.size() && shards.subList(0, before.size()).equals(before);
    }

    /** A worker that is about to leave serves this now. */
    void leaves(Shard shard) {
        leaving.add(shard);
    }

    /** What serves at workers that are about to leave, and may stay there for a while. */
    List<Shard> leaving() {
        return leaving;
    }

    /** Whoever is about to leave may go now. */
    void letGo() {
        leaving.clear();
    }

    /** Whether a worker was to hold this when the plan was begun. */
    boolean stood(Load load, Span span, int kvCells) {
        return before.stream()
                .anyMatch(shard ->
                        shard.load() == load
                                && shard.span().equals(span)
                                && shard.kvCells() == kvCells);
    }

    /** A worker serves these blocks now, so that others can fetch them there. */
    void servedSomewhere(Span span) {
        Arrays.fill(served, span.first(), Math.min(span.end(), blocks()), true);
    }

    /** Whether the bytes of a span can be had. */
    boolean obtainable(Span span) {
        return model.sourced() || servedNow(span);
    }

    /** Whether each of these blocks is served by somebody. */
    boolean servedNow(Span span) {
        for (int block = span.first(); block < span.end(); block++) {
            if (!served[block]) {
                return false;
            }
        }
        return true;
    }

    /** Blocks whose bytes cannot be had from anybody. */
    List<Span> unobtainable() {
        List<Span> had = new ArrayList<>();
        for (int block = 0; block < blocks(); block++) {
            if (model.sourced() || served[block]) {
                had.add(new Span(block, block + 1));
            }
        }
        return Coverage.missing(blocks(), had);
    }

    /** Whether a worker may be given a span now. */
    boolean canGive(Load load, Span span, int kvCells) {
        return load.of(this) == null
                && costs.bytes(span, kvCells) <= load.freeBytes()
                && load.takes(this, span)
                && obtainable(span);
    }

    /**
     * Whether a worker may be given a further part, beside those it has: others must hold what it
     * has too, since it can stand in a route only once.
     */
    boolean canGiveBeside(Load load, Span span, int kvCells) {
        for (Shard own : load.shards()) {
            boolean apart = own.span().end() <= span.first() || span.end() <= own.span().first();
            if (own.model() == this && !(apart && holders(own.span()) > 1)) {
                return false;
            }
        }
        return costs.bytes(span, kvCells) <= load.freeBytes()
                && load.takes(this, span)
                && obtainable(span);
    }

    Shard give(Load load, Span span, int kvCells) {
        Shard shard = new Shard(load, this, span, kvCells);
        put(shard);
        return shard;
    }

    void put(Shard shard) {
        boolean known = fewestCells != UNKNOWN && !shards.isEmpty();
        fewestCells = known ? Math.min(fewestCells, shard.kvCells()) : UNKNOWN;
        shards.add(shard);
        holders.merge(shard.span(), 1, Integer::sum);
        shard.load().add(shard);
    }

    void take(Shard shard) {
        shards.remove(shard);
        fewestCells = fewestCells < shard.kvCells() ? fewestCells : UNKNOWN;
        holders.computeIfPresent(shard.span(), (_, count) -> count == 1 ? null : count - 1);
        shard.load().remove(shard);
    }

    /** Takes all shards away; {@link #put} brings one back. */
    List<Shard> clear() {
        List<Shard> all = List.copyOf(shards);
        all.forEach(this::take);
        return all;
    }

    /** Whether a chain covers the model. */
    boolean covered() {
        return stages() > 0;
    }

    /** Stages of the shortest chain; 0 when there is none. */
    int stages() {
        return Chains.shortest(blocks(), holders.keySet());
    }

    /** The spans held, each once, in order. */
    Set<Span> spans() {
        return holders.keySet();
    }

    /** How many are to hold exactly this span. */
    int holders(Span span) {
        return holders.getOrDefault(span, 0);
    }

    /** Positions that sessions can have: the smallest KV cache; 0 without any shard. */
    int kvCells() {
        if (fewestCells == UNKNOWN) {
            fewestCells = shards.stream().mapToInt(Shard::kvCells).min().orElse(0);
        }
        return fewestCells;
    }
}
