package coop.sahkar.coordinator.liveness;

/**
 * What a worker's last report does not say yet of one model's sessions.
 *
 * @param sessions sessions routed there since, less those that ended since
 * @param positions KV positions they may take; less than nothing when more ended than came
 */
public record Unreported(int sessions, long positions) {
    /** The report says it all. */
    public static final Unreported NONE = new Unreported(0, 0);

    Unreported plus(Unreported other) {
        return new Unreported(sessions + other.sessions, positions + other.positions);
    }
}
