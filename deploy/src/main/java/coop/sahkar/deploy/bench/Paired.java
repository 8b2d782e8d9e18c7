package coop.sahkar.deploy.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Two speeds measured in turns, pair by pair. A machine that is shared with others goes slower for
 * a while now and then; the two of a pair meet the same, so their ratio says more than that of the
 * medians.
 *
 * @param base what the other one is compared with, in tokens per second
 * @param other as many
 */
public record Paired(List<Double> base, List<Double> other) {
    private static final double LOWER = 0.25;
    private static final double UPPER = 0.75;

    public Paired {
        base = List.copyOf(base);
        other = List.copyOf(other);
        if (base.size() != other.size() || base.isEmpty()) {
            throw new IllegalArgumentException(
                    "%d measurements beside %d".formatted(base.size(), other.size()));
        }
    }

    /** The median of the ones. */
    double baseMedian() {
        return Medians.of(base);
    }

    /** The median of the others. */
    double otherMedian() {
        return Medians.of(other);
    }

    /** The median of the ratios of the pairs, other to base. */
    double ratio() {
        return quantile(0.5);
    }

    /** The ratio that a share of the pairs has at most; between two pairs, in proportion. */
    double quantile(double share) {
        double[] sorted =
                IntStream.range(0, base.size())
                        .mapToDouble(i -> other.get(i) / base.get(i))
                        .sorted()
                        .toArray();
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    /** A row's cells: what was measured, the medians, the ratio, its quartiles, how many pairs. */
    Object[] cells(String what) {
        return new Object[] {
            what,
            speed(baseMedian()),
            speed(otherMedian()),
            share(ratio()),
            "%s to %s".formatted(share(quantile(LOWER)), share(quantile(UPPER))),
            base.size()
        };
    }

    /** For programs. */
    Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("base", baseMedian());
        values.put("other", otherMedian());
        values.put("ratio", ratio());
        values.put("ratio_quartile_1", quantile(LOWER));
        values.put("ratio_quartile_3", quantile(UPPER));
        values.put("base_all", base);
        values.put("other_all", other);
        return values;
    }

    private static String speed(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    private static String share(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
