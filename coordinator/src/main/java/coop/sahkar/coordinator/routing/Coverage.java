package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;

/** Which blocks of a model nobody serves. Pure. */
public final class Coverage {
    private Coverage() {}

    /** The runs of blocks that lie in none of {@code served}, ascending. */
    public static List<Span> missing(int blockCount, List<Span> served) {
        boolean[] covered = new boolean[blockCount];
        for (Span span : served) {
            for (int block = span.first(); block < Math.min(blockCount, span.end()); block++) {
                covered[block] = true;
            }
        }
        List<Span> missing = new ArrayList<>();
        int first = 0;
        while (first < blockCount) {
            int end = first;
            while (end < blockCount && !covered[end]) {
                end++;
            }
            if (end > first) {
                missing.add(new Span(first, end));
            }
            first = end + 1;
        }
        return missing;
    }

    /** In words: {@code blocks 0 to 3 and block 5}. */
    public static String inWords(List<Span> spans) {
        List<String> words = new ArrayList<>();
        for (Span span : spans) {
            words.add(
                    span.length() == 1
                            ? "block " + span.first()
                            : "blocks %d to %d".formatted(span.first(), span.end() - 1));
        }
        if (words.size() <= 1) {
            return String.join("", words);
        }
        return String.join(", ", words.subList(0, words.size() - 1)) + " and " + words.getLast();
    }
}
