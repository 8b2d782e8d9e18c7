package coop.sahkar.deploy.simulate;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.store.ShardKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;

/**
 * Which models can be used in truth, whatever coordinators believe: those whose serving spans chain
 * from the first block to the last. Keeps how long each gap was.
 */
final class Coverage {
    private final Agenda agenda;
    private final Trace trace;
    private final SortedMap<String, Model> models = new TreeMap<>();
    private final List<Long> gapMillis = new ArrayList<>();

    private static final class Model {
        final int blockCount;
        final NavigableMap<Span, Integer> serving = new TreeMap<>();
        boolean covered;
        boolean everCovered;
        long sinceMillis;
        long coveredMillis;

        Model(int blockCount, long nowMillis) {
            this.blockCount = blockCount;
            this.sinceMillis = nowMillis;
        }
    }

    Coverage(Agenda agenda, Trace trace) {
        this.agenda = agenda;
        this.trace = trace;
    }

    void publish(String modelId, int blockCount) {
        models.put(modelId, new Model(blockCount, agenda.nowMillis()));
    }

    /** One more worker serves a shard, or one fewer. */
    void count(ShardKey shard, boolean more) {
        Model model = models.get(shard.modelId());
        if (model == null) {
            throw new Violation("a shard of no model is served: " + shard);
        }
        Span span = shard.span();
        int holders = model.serving.merge(span, more ? 1 : -1, Integer::sum);
        if (holders < 0) {
            throw new Violation("fewer than no holders of " + shard.described());
        }
        if (holders == 0) {
            model.serving.remove(span);
        }
        if (holders == 0 || (more && holders == 1)) {
            turn(shard.modelId(), model);
        }
    }

    private void turn(String id, Model model) {
        boolean covered = chains(model.serving.navigableKeySet(), model.blockCount);
        if (covered == model.covered) {
            return;
        }
        long now = agenda.nowMillis();
        if (covered) {
            if (model.everCovered) {
                gapMillis.add(now - model.sinceMillis);
            }
            model.everCovered = true;
        } else {
            model.coveredMillis += now - model.sinceMillis;
        }
        model.covered = covered;
        model.sinceMillis = now;
        trace.say(id.substring(0, id.indexOf('@')), covered ? "is covered" : "has a gap");
    }

    /** Whether some of {@code spans}, which ascend, lead from the first block to the last. */
    static boolean chains(SortedSet<Span> spans, int blockCount) {
        boolean[] reached = new boolean[blockCount + 1];
        reached[0] = true;
        for (Span span : spans) {
            if (reached[span.first()]) {
                reached[span.end()] = true;
            }
        }
        return reached[blockCount];
    }

    /** Models that cannot be used now. */
    List<String> gaps() {
        return models.entrySet().stream()
                .filter(e -> !e.getValue().covered)
                .map(Map.Entry::getKey)
                .toList();
    }

    /** Lengths of the gaps of models that had been covered before, in milliseconds. */
    List<Long> gapMillis() {
        return List.copyOf(gapMillis);
    }

    /** The part of all models' time in which they could be used. */
    double availability(long startMillis) {
        long now = agenda.nowMillis();
        long covered = 0;
        for (Model model : models.values()) {
            covered += model.coveredMillis + (model.covered ? now - model.sinceMillis : 0);
        }
        return (double) covered / Math.max(1, models.size() * (now - startMillis));
    }

    /** How many serve each span of a model. */
    SortedMap<Span, Integer> serving(String modelId) {
        Model model = models.get(modelId);
        return model == null ? new TreeMap<>() : new TreeMap<>(model.serving);
    }
}
