package coop.sahkar.deploy.bench;

import java.util.ArrayList;
import java.util.List;

/** Collects the pairs of a {@link Paired}. */
final class Turns {
    private final List<Double> base = new ArrayList<>();
    private final List<Double> other = new ArrayList<>();

    void add(double baseSpeed, double otherSpeed) {
        base.add(baseSpeed);
        other.add(otherSpeed);
    }

    Paired pairs() {
        return new Paired(base, other);
    }
}
