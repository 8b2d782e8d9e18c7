package coop.sahkar.coordinator.placement;

import java.util.Arrays;

/**
 * The most tokens per second that can pass from the first place of a model to its last when its
 * spans have given rates: a maximum flow over the few places where it is cut.
 */
final class Flow {
    private static final double LEAST = 1e-9;

    private final double[][] left;
    private final int[] from;
    private final int places;

    private Flow(double[][] rates) {
        this.places = rates.length;
        this.left = rates;
        this.from = new int[places];
    }

    /**
     * @param rates the rate from each place to each, changed by the call
     */
    static double most(double[][] rates) {
        return new Flow(rates).run();
    }

    private double run() {
        double flow = 0;
        // Each round uses one way up; ways found by breadth first search are few.
        for (int round = 0; round < places * places * places; round++) {
            double more = augment();
            if (more <= LEAST) {
                return flow;
            }
            flow += more;
        }
        return flow;
    }

    private double augment() {
        Arrays.fill(from, -1);
        int[] queue = new int[places];
        int first = 0;
        int end = 1;
        from[0] = 0;
        while (first < end && from[places - 1] < 0) {
            int place = queue[first++];
            for (int next = 1; next < places; next++) {
                if (from[next] < 0 && left[place][next] > LEAST) {
                    from[next] = place;
                    queue[end++] = next;
                }
            }
        }
        return from[places - 1] < 0 ? 0 : push();
    }

    private double push() {
        double most = Double.MAX_VALUE;
        for (int place = places - 1; place > 0; place = from[place]) {
            most = Math.min(most, left[from[place]][place]);
        }
        for (int place = places - 1; place > 0; place = from[place]) {
            left[from[place]][place] -= most;
            left[place][from[place]] += most;
        }
        return most;
    }
}
