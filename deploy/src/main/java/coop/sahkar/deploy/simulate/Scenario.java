package coop.sahkar.deploy.simulate;

import coop.sahkar.governance.Policy;
import coop.sahkar.worker.engine.EngineLimits;
import coop.sahkar.worker.engine.LogRoom;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What is simulated. Everything else is drawn from the seed.
 *
 * @param seed what all chance is drawn from
 * @param workers how many there are at a time
 * @param models how many are published
 * @param coordinators how many share the log
 * @param troubleMillis how long the world is broken again and again
 * @param healMillis how long it is then left alone, before progress is demanded
 * @param replacedPerHour workers that leave for good and are replaced, in parts of all
 * @param troublesPerMinute crashes, stalls, cuts and restarts
 * @param generationsPerSecond questions asked
 * @param aimedTroubles the part of troubles that is aimed at workers and links which some answer
 *     runs through
 * @param logBytes what the boundary logs of one worker may keep together
 * @param logPages pages of disk behind that; 0 for none
 * @param lookMillis how often a coordinator considers the placement
 * @param policy the pool's rules
 */
public record Scenario(
        long seed,
        int workers,
        int models,
        int coordinators,
        long troubleMillis,
        long healMillis,
        double replacedPerHour,
        double troublesPerMinute,
        double generationsPerSecond,
        double aimedTroubles,
        long logBytes,
        int logPages,
        int lookMillis,
        Policy policy) {
    /** Below so many workers everything is checked after every event. */
    private static final int SMALL = 60;

    /** Boundary logs that evict nothing here. */
    private static final long ALL_BYTES = LogRoom.MEMORY_BYTES;

    private static final long IDLE_MILLIS = 60_000;
    private static final int MOST_WORKERS = 20_000;
    private static final int MOST_MODELS = 1000;
    private static final long MINUTE = TimeUnit.MINUTES.toMillis(1);

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException in a sentence that names the number at fault
     */
    public Scenario {
        within("workers", workers, 1, MOST_WORKERS);
        within("models", models, 1, MOST_MODELS);
        within("coordinators", coordinators, 1, 9);
    }

    /** A small world full of trouble, different for every seed. */
    public static Scenario small(long seed) {
        Chance chance = new Chance(seed);
        int workers = (int) chance.spread(2, 30);
        return new Scenario(
                seed,
                workers,
                (int) chance.spread(1, 5),
                chance.happens(0.5) ? 1 : 3,
                chance.between(3, 8) * MINUTE,
                3 * MINUTE,
                chance.happens(0.3) ? 0 : chance.spread(1, 10),
                chance.spread(1, 12),
                chance.fraction() * 2,
                0.2,
                ALL_BYTES,
                0,
                100,
                Policy.DEFAULT);
    }

    /** A smaller world in which answers are hit again and again, different for every seed. */
    public static Scenario rough(long seed) {
        Chance chance = new Chance(~seed);
        return new Scenario(
                seed,
                (int) chance.spread(3, 14),
                (int) chance.spread(1, 2),
                chance.happens(0.5) ? 1 : 3,
                chance.between(60, 150) * 1000,
                3 * MINUTE,
                chance.happens(0.5) ? 0 : chance.spread(1, 20),
                chance.spread(5, 40),
                0.5 + chance.fraction() * 3,
                0.8,
                chance.pick(List.of(0L, 512L, 4096L, ALL_BYTES)),
                chance.pick(List.of(0, 20, 1000, 100_000)),
                100,
                Policy.DEFAULT);
    }

    /** A world of a given size: steady churn, and now and then some trouble. */
    public static Scenario sized(long seed, int workers, int models, double hours) {
        boolean large = workers >= SMALL;
        return new Scenario(
                seed,
                workers,
                models,
                large ? 1 : 3,
                (long) (hours * TimeUnit.HOURS.toMillis(1)),
                3 * MINUTE,
                0.5,
                2,
                2,
                0.2,
                ALL_BYTES,
                0,
                large ? 500 : 100,
                Policy.DEFAULT);
    }

    /** The bounds of its workers' engines. Sessions that are left behind are given up sooner. */
    EngineLimits engineLimits() {
        EngineLimits usual = EngineLimits.DEFAULT;
        return new EngineLimits(
                usual.mailboxMessages(),
                usual.mailboxRows(),
                usual.replayBytes(),
                IDLE_MILLIS,
                usual.stallMillis(),
                usual.askAgainMillis(),
                usual.retryAfterMillis(),
                usual.closeMillis());
    }

    boolean checksEveryEvent() {
        return workers < SMALL;
    }

    private static void within(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "%s is %d but must lie between %d and %d".formatted(name, value, least, most));
        }
    }
}
