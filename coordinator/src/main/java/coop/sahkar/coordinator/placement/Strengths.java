package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * How strongly each span of each model is served, in tokens per second for each token per second of
 * demand, the weakest first. A span is as strong as its weakest block; a worker's time is shared
 * among its shards by demand.
 */
final class Strengths {
    /** A span and its strength. */
    record Entry(double strength, int model, Span span) {}

    private static final Comparator<Entry> WEAKEST_FIRST =
            Comparator.comparingDouble(Entry::strength)
                    .thenComparingInt(Entry::model)
                    .thenComparing(Entry::span);

    private final List<Holding> models;
    private final List<double[]> rates = new ArrayList<>();
    private final NavigableSet<Entry> entries = new TreeSet<>(WEAKEST_FIRST);

    /** Of models that are covered. */
    Strengths(List<Holding> models) {
        this.models = models;
        for (int i = 0; i < models.size(); i++) {
            Holding model = models.get(i);
            double[] perBlock = new double[model.blocks()];
            rates.add(perBlock);
            model.shards().forEach(shard -> count(perBlock, shard.span(), rate(shard)));
            for (Span span : model.spans()) {
                entries.add(entry(i, span));
            }
        }
    }

    /** All, the weakest first; not to be kept while anything changes. */
    NavigableSet<Entry> weakestFirst() {
        return entries;
    }

    /** The strongest first. */
    List<Entry> strongest(int most) {
        return entries.descendingSet().stream().limit(most).toList();
    }

    Holding model(Entry entry) {
        return models.get(entry.model());
    }

    /** What a span would have without what one shard adds to it. */
    double without(Entry entry, Shard shard) {
        return entry.strength() - rate(shard) / model(entry).model().demand();
    }

    /** A shard was given. */
    void added(Shard shard) {
        change(shard, rate(shard));
    }

    /** A shard is about to be taken. */
    void removing(Shard shard) {
        change(shard, -rate(shard));
    }

    private void change(Shard shard, double rate) {
        int index = models.indexOf(shard.model());
        if (index < 0) {
            return;
        }
        List<Span> touched = new ArrayList<>();
        for (Span span : shard.model().spans()) {
            boolean overlaps =
                    span.first() < shard.span().end() && shard.span().first() < span.end();
            if (overlaps) {
                touched.add(span);
                entries.remove(entry(index, span));
            }
        }
        count(rates.get(index), shard.span(), rate);
        touched.forEach(span -> entries.add(entry(index, span)));
    }

    private Entry entry(int index, Span span) {
        double weakest = Double.MAX_VALUE;
        double[] perBlock = rates.get(index);
        for (int block = span.first(); block < span.end(); block++) {
            weakest = Math.min(weakest, perBlock[block]);
        }
        return new Entry(weakest / models.get(index).model().demand(), index, span);
    }

    /** Tokens per second a shard gives its model. */
    private static double rate(Shard shard) {
        double demanded = 0;
        for (Shard each : shard.load().shards()) {
            demanded += (double) each.model().model().demand() * each.nanos();
        }
        return shard.model().model().demand() * 1e9 / demanded;
    }

    private static void count(double[] perBlock, Span span, double rate) {
        for (int block = span.first(); block < span.end(); block++) {
            perBlock[block] += rate;
        }
    }
}
