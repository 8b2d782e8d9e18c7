package coop.sahkar.deploy.bench;

import java.util.Arrays;
import java.util.List;

/** The middle of a few measurements. */
final class Medians {
    private Medians() {}

    /** The median of what {@link #of(double...)} takes. */
    static double of(List<Double> values) {
        return of(values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /** The median; the mean of the two in the middle when their number is even. */
    static double of(double... values) {
        if (values.length == 0) {
            throw new IllegalArgumentException("no measurements");
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
