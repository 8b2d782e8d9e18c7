package coop.sahkar.coordinator.gateway;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The decimal numerals of a range of integers, as a grammar.
 *
 * @param low least
 * @param high greatest
 */
record IntegerRange(long low, long high) {
    /** Numerals have at most 15 digits: every reader of JSON takes those exactly. */
    private static final long MOST = 999_999_999_999_999L;

    /**
     * The range that a schema's keywords ask for.
     *
     * @return null if they ask for none
     */
    static @Nullable IntegerRange of(Fields fields, String at) {
        OptionalLong minimum = bound(fields, "minimum", at);
        OptionalLong above = bound(fields, "exclusiveMinimum", at);
        OptionalLong maximum = bound(fields, "maximum", at);
        OptionalLong below = bound(fields, "exclusiveMaximum", at);
        if (minimum.isEmpty() && above.isEmpty() && maximum.isEmpty() && below.isEmpty()) {
            return null;
        }
        long low =
                Math.max(minimum.orElse(-MOST), above.isPresent() ? above.getAsLong() + 1 : -MOST);
        long high =
                Math.min(maximum.orElse(MOST), below.isPresent() ? below.getAsLong() - 1 : MOST);
        if (low > high) {
            throw new RefusedRequest(at + ".minimum", at + " allows no integer at all.");
        }
        return new IntegerRange(low, high);
    }

    private static OptionalLong bound(Fields fields, String word, String at) {
        return fields.whole(word, at + "." + word, -MOST, MOST);
    }

    /** Alternatives of a GBNF rule. */
    String grammar() {
        List<String> all = new ArrayList<>();
        if (low < 0) {
            for (String part : unsigned(Math.max(1, -high), -low)) {
                all.add("\"-\" " + part);
            }
        }
        if (high >= 0) {
            all.addAll(unsigned(Math.max(0, low), high));
        }
        return String.join(" | ", all);
    }

    private static List<String> unsigned(long from, long to) {
        List<String> all = new ArrayList<>();
        String first = Long.toString(from);
        String last = Long.toString(to);
        for (int length = first.length(); length <= last.length(); length++) {
            String low = length == first.length() ? first : "1" + "0".repeat(length - 1);
            String high = length == last.length() ? last : "9".repeat(length);
            between(low, high, all);
        }
        return all;
    }

    /** Numerals of one length from {@code low} to {@code high}. */
    private static void between(String low, String high, List<String> all) {
        int same = 0;
        while (same < low.length() && low.charAt(same) == high.charAt(same)) {
            same++;
        }
        String prefix = low.substring(0, same);
        if (same == low.length()) {
            all.add(part(prefix, '1', '0', 0));
            return;
        }
        int rest = low.length() - same - 1;
        char begin = (char) (low.charAt(same) + 1);
        char end = (char) (high.charAt(same) - 1);
        if (begin <= end) {
            all.add(part(prefix, begin, end, rest));
        }
        for (int i = same + 1; i < low.length(); i++) {
            if (low.charAt(i) < '9') {
                all.add(
                        part(
                                low.substring(0, i),
                                (char) (low.charAt(i) + 1),
                                '9',
                                low.length() - i - 1));
            }
            if (high.charAt(i) > '0') {
                all.add(
                        part(
                                high.substring(0, i),
                                '0',
                                (char) (high.charAt(i) - 1),
                                low.length() - i - 1));
            }
        }
        all.add(part(low, '1', '0', 0));
        all.add(part(high, '1', '0', 0));
    }

    /** A prefix, a digit of a range unless that is empty, and any digits. */
    private static String part(String prefix, char begin, char end, int rest) {
        StringBuilder part = new StringBuilder();
        if (!prefix.isEmpty()) {
            part.append('"').append(prefix).append("\" ");
        }
        if (begin <= end) {
            part.append('[').append(begin).append('-').append(end).append("] ");
        }
        if (rest > 0) {
            part.append("[0-9]{").append(rest).append("} ");
        }
        return part.toString().strip();
    }
}
