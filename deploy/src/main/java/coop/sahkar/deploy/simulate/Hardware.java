package coop.sahkar.deploy.simulate;

/**
 * What a worker's computer can do, and what its donor says of it.
 *
 * @param memoryBytes memory lent
 * @param bytesPerSecond weight bytes it passes per second in decode
 * @param claimedBytesPerSecond what it says of that
 * @param fetchBytesPerSecond how fast it gets tensors onto its disk
 */
record Hardware(
        long memoryBytes,
        long bytesPerSecond,
        long claimedBytesPerSecond,
        long fetchBytesPerSecond) {
    private static final long MEGABYTE = 1_000_000;
    private static final long GIGABYTE = 1000 * MEGABYTE;

    /** What a donor's computer may be; one in ten lies about its speed. */
    static Hardware draw(Chance chance) {
        long speed = chance.spread(10 * GIGABYTE, 100 * GIGABYTE);
        long claimed = speed;
        if (chance.happens(0.1)) {
            claimed = chance.happens(0.3) ? 0 : speed * chance.spread(2, 100);
        }
        return new Hardware(
                chance.spread(GIGABYTE, 16 * GIGABYTE),
                speed,
                claimed,
                chance.spread(50 * MEGABYTE, 500 * MEGABYTE));
    }
}
