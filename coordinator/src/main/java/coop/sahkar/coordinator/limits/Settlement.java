package coop.sahkar.coordinator.limits;

/**
 * What a request came to.
 *
 * @param id as in its {@link Wish}
 * @param account as there
 * @param counts false if it failed through no fault of the caller: then it was no request
 * @param tokens of prompt and answers
 */
public record Settlement(String id, String account, boolean counts, long tokens) {}
