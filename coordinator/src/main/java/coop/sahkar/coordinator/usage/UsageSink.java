package coop.sahkar.coordinator.usage;

/** The one place that hears of every token that was delivered. Thread-safe; must not block. */
@FunctionalInterface
public interface UsageSink {
    /** Tokens were delivered that were not told before. */
    void record(Use use);
}
