package coop.sahkar.coordinator.placement;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** Chains of spans that follow each other and cover a model. */
final class Chains {
    /** Chains looked at where a worker is to choose between two spans. */
    private static final int MOST = 64;

    private Chains() {}

    /** Stages of the shortest chain; 0 when there is none. */
    static int shortest(int blocks, Collection<Span> spans) {
        int[] stages = new int[blocks + 1];
        Arrays.fill(stages, Integer.MAX_VALUE);
        stages[0] = 0;
        Span[] sorted = spans.toArray(Span[]::new);
        Arrays.sort(sorted);
        for (Span span : sorted) {
            if (stages[span.first()] != Integer.MAX_VALUE) {
                stages[span.end()] = Math.min(stages[span.end()], stages[span.first()] + 1);
            }
        }
        return stages[blocks] == Integer.MAX_VALUE ? 0 : stages[blocks];
    }

    /** The chains there are, at most {@link #MOST}. */
    static List<List<Span>> all(int blocks, Collection<Span> spans) {
        List<List<Span>> found = new ArrayList<>();
        extend(blocks, List.copyOf(spans), List.of(), found);
        return found;
    }

    private static void extend(
            int blocks, List<Span> spans, List<Span> begun, List<List<Span>> found) {
        int end = begun.isEmpty() ? 0 : begun.getLast().end();
        if (end == blocks) {
            found.add(begun);
            return;
        }
        for (Span span : spans) {
            if (span.first() == end && found.size() < MOST) {
                List<Span> longer = new ArrayList<>(begun);
                longer.add(span);
                extend(blocks, spans, longer, found);
            }
        }
    }
}
