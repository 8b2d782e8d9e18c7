package coop.sahkar.coordinator.limits;

/**
 * What a request needs of its account's limits, beside being one request.
 *
 * @param id names the request for ever: random, drawn by who asks
 * @param account an account's id, or the network address of a caller without a key
 * @param sessions answers under way at once; 0 for a question that needs no session
 * @param tokens most tokens of prompt and answers, as far as can be told before; what was really
 *     used is settled afterwards
 */
public record Wish(String id, String account, int sessions, long tokens) {}
