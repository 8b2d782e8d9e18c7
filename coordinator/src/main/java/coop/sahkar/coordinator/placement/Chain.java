package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.List;

/**
 * One copy of a model: who serves which span, in order.
 *
 * @param loads the workers
 * @param spans their spans; they follow each other and cover the model
 * @param kvCells positions each KV cache holds
 */
record Chain(List<Load> loads, List<Span> spans, int kvCells) {

    /** Nanoseconds the slowest stage needs for a token. */
    long slowestNanos(Holding model) {
        long slowest = 0;
        for (int i = 0; i < loads.size(); i++) {
            long own = model.costs().nanos(spans.get(i), loads.get(i).bytesPerSecond());
            slowest = Math.max(slowest, own);
        }
        return slowest;
    }

    void take(Holding model) {
        for (int i = 0; i < loads.size(); i++) {
            model.give(loads.get(i), spans.get(i), kvCells);
        }
    }
}
