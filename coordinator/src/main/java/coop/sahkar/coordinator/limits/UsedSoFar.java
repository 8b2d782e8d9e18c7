package coop.sahkar.coordinator.limits;

/**
 * What the limits remember of one account.
 *
 * @param account its id, or the network address of callers without a key
 * @param requestsThisMinute requests in the last minute
 * @param tokensThisMinute tokens in the last minute, those held for running answers included
 * @param tokensToday tokens since midnight, UTC, without those held
 * @param sessions answers under way
 */
public record UsedSoFar(
        String account,
        long requestsThisMinute,
        long tokensThisMinute,
        long tokensToday,
        int sessions) {}
