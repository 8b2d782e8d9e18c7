package coop.sahkar.coordinator.limits;

/**
 * Is told what was used, once for each request, by the coordinator that served it, when it is over.
 * Must return at once.
 */
public interface UsageListener {
    /** Hears nothing. */
    UsageListener NONE = _ -> {};

    /** A request is over. */
    void used(Usage usage);
}
