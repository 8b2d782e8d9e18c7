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
    long slowestNanos(PlanModel model) {
        long slowest = 0;
        for (int i = 0; i < loads.size(); i++) {
            slowest = Math.max(slowest, loads.get(i).nanos(model.footprint(), spans.get(i)));
        }
        return slowest;
    }

    void take(PlanModel model) {
        for (int i = 0; i < loads.size(); i++) {
            loads.get(i).take(model, spans.get(i), kvCells);
        }
    }
}
