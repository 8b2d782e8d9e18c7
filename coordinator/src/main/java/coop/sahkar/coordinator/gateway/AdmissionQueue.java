package coop.sahkar.coordinator.gateway;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Who waits for room, and whose turn it is. Pure; owned by one lock.
 *
 * <p>Accounts take turns: whoever was served goes behind all others that wait, however many
 * requests it has. Within an account the oldest goes first. Where a model has no room for whoever's
 * turn it is, everybody behind who wants that model waits too, so that small requests do not keep a
 * large one waiting for ever; other models go on.
 *
 * @param <T> who waits
 */
final class AdmissionQueue<T> {
    /** No account may fill more than half of the queue. */
    private static final int SHARES = 2;

    /** Times of service that the rate is taken from. */
    private static final int RATE_WINDOW = 16;

    private static final long LEAST_RETRY_MILLIS = 1_000;
    private static final long MOST_RETRY_MILLIS = 60_000;

    private final Map<String, Deque<Waiter<T>>> byTurn = new LinkedHashMap<>();
    private final Deque<Long> servedMillis = new ArrayDeque<>();
    private int size;

    /**
     * Somebody who waits.
     *
     * @param account who takes turns with others
     * @param model what it waits for
     * @param sinceMillis since when
     */
    record Waiter<T>(T who, String account, String model, long sinceMillis) {}

    /** Lets somebody wait, behind the others of its account. */
    void add(Waiter<T> waiter) {
        byTurn.computeIfAbsent(waiter.account(), _ -> new ArrayDeque<>()).addLast(waiter);
        size++;
    }

    /** The same, but before the others of its account: it had its turn, and got nothing for it. */
    void addFirst(Waiter<T> waiter) {
        byTurn.computeIfAbsent(waiter.account(), _ -> new ArrayDeque<>()).addFirst(waiter);
        size++;
    }

    /** Whether the queue, or the account's part of it, is longer than it may be. */
    boolean tooLong(String account, int most) {
        int share = (most + SHARES - 1) / SHARES;
        Deque<Waiter<T>> own = byTurn.get(account);
        return size > most || (own != null && own.size() > share);
    }

    /**
     * Whose turn it is.
     *
     * @param full models that have no room
     */
    Optional<Waiter<T>> next(Set<String> full) {
        for (Deque<Waiter<T>> account : byTurn.values()) {
            for (Waiter<T> waiter : account) {
                if (!full.contains(waiter.model())) {
                    return Optional.of(waiter);
                }
            }
        }
        return Optional.empty();
    }

    /** It was its turn and it got room: its account goes behind the others. */
    void served(Waiter<T> waiter, long nowMillis) {
        Deque<Waiter<T>> account = byTurn.remove(waiter.account());
        if (account == null || !account.remove(waiter)) {
            throw new IllegalStateException("somebody was served who does not wait");
        }
        size--;
        if (!account.isEmpty()) {
            byTurn.put(waiter.account(), account);
        }
        servedMillis.addLast(nowMillis);
        if (servedMillis.size() > RATE_WINDOW) {
            servedMillis.removeFirst();
        }
    }

    /** Takes everybody out for whom this holds, longest waiting of each account first. */
    List<Waiter<T>> removeIf(Predicate<Waiter<T>> leaves) {
        List<Waiter<T>> left = new ArrayList<>();
        for (Deque<Waiter<T>> account : byTurn.values()) {
            account.stream().filter(leaves).forEach(left::add);
            account.removeIf(leaves);
        }
        byTurn.values().removeIf(Deque::isEmpty);
        size -= left.size();
        return left;
    }

    /** Whether anybody waits for this model. */
    boolean waitsFor(String model) {
        return byTurn.values().stream()
                .flatMap(Deque::stream)
                .anyMatch(waiter -> waiter.model().equals(model));
    }

    int size() {
        return size;
    }

    /**
     * When somebody who was refused should try again: when those who wait will have been served, at
     * the rate of late.
     */
    int retryAfterMillis(long nowMillis) {
        if (servedMillis.isEmpty()) {
            return (int) LEAST_RETRY_MILLIS;
        }
        long each = (nowMillis - servedMillis.getFirst()) / servedMillis.size();
        return (int) Math.clamp((size + 1) * each, LEAST_RETRY_MILLIS, MOST_RETRY_MILLIS);
    }
}
