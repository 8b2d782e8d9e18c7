package coop.sahkar.coordinator.limits;

/**
 * A time, by two clocks: minutes are counted by one that nobody sets, days by the calendar.
 *
 * @param millis by a clock that only goes forward
 * @param unixMillis Unix time
 */
record Moment(long millis, long unixMillis) {
    private static final long DAY_MILLIS = 24L * 60 * 60 * 1000;

    /** Days since 1970, UTC. */
    long day() {
        return Math.floorDiv(unixMillis, DAY_MILLIS);
    }

    /** Until midnight, UTC. */
    long millisToMidnight() {
        return DAY_MILLIS - Math.floorMod(unixMillis, DAY_MILLIS);
    }
}
