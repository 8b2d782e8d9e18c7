package coop.sahkar.deploy.simulate;

import java.util.List;
import java.util.SplittableRandom;

/** Everything that is left to chance, drawn from the seed alone. */
final class Chance {
    private final SplittableRandom random;

    Chance(long seed) {
        this(new SplittableRandom(seed));
    }

    private Chance(SplittableRandom random) {
        this.random = random;
    }

    /** Another stream of its own: what one part draws moves nothing in another. */
    Chance split() {
        return new Chance(random.split());
    }

    /** For code that takes a generator. */
    SplittableRandom generator() {
        return random;
    }

    boolean happens(double probability) {
        return random.nextDouble() < probability;
    }

    /** From {@code least} to {@code most}, both possible. */
    long between(long least, long most) {
        return least == most ? least : random.nextLong(least, most + 1);
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    double fraction() {
        return random.nextDouble();
    }

    /** Between the two, small ones as likely as large ones. */
    long spread(long least, long most) {
        return (long) (least * StrictMath.pow((double) most / least, random.nextDouble()));
    }

    /** Milliseconds until something that happens so many times a second happens next. */
    long untilNext(double perSecond) {
        double seconds = -StrictMath.log(1 - random.nextDouble()) / perSecond;
        return Math.max(1, (long) (seconds * 1000));
    }

    <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    long bits() {
        return random.nextLong();
    }
}
