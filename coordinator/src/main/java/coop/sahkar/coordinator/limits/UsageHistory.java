package coop.sahkar.coordinator.limits;

/** What was used before this coordinator began to count, from what all of them have committed. */
public interface UsageHistory {
    /** Nothing is known. */
    UsageHistory NONE = (_, _) -> 0;

    /**
     * Tokens of an account on one day.
     *
     * @param day days since 1970, UTC
     */
    long tokens(String account, long day);
}
