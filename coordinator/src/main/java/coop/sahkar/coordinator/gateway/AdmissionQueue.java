package coop.sahkar.coordinator.gateway;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for room, and whose turn it is. Pure; owned by one lock.
 *
 * <p>Accounts take turns, in proportion to their weights: whoever comes or was served gets a place
 * so far behind the turn that was served last as its weight says, however many requests it has. Of
 * two with the same weight, whoever was served goes behind the other. Every account's turn comes,
 * since the places of others only grow. Within an account the oldest goes first. Where a model has
 * no room for whoever's turn it is, everybody behind who wants that model waits too, so that small
 * requests do not keep a large one waiting for ever; other models go on.
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

    /** How far an account of weight 1 goes back when it was served. */
    private static final long LONGEST_STRIDE = 1L << 20;

    private final ToIntFunction<String> weights;
    private final SortedMap<String, Turn<T>> byAccount = new TreeMap<>();
    private final TreeSet<Turn<T>> byPlace =
            new TreeSet<>(
                    Comparator.comparingLong((Turn<T> turn) -> turn.place)
                            .thenComparingLong(turn -> turn.arrival));
    private final Deque<Long> servedMillis = new ArrayDeque<>();
    private long servedPlace;
    private long arrivals;
    private int size;

    /**
     * Somebody who waits.
     *
     * @param account who takes turns with others
     * @param model what it waits for
     * @param sinceMillis since when
     */
    record Waiter<T>(T who, String account, String model, long sinceMillis) {}

    /** One account's requests, and its place among the accounts. */
    private static final class Turn<T> {
        private final String account;
        private final Deque<Waiter<T>> waiters = new ArrayDeque<>();
        private final long place;
        private final long arrival;

        Turn(String account, long place, long arrival) {
            this.account = account;
            this.place = place;
            this.arrival = arrival;
        }
    }

    /**
     * @param weights turns of an account against those of others; at least 1
     */
    AdmissionQueue(ToIntFunction<String> weights) {
        this.weights = weights;
    }

    /** Lets somebody wait, behind the others of its account. */
    void add(Waiter<T> waiter) {
        turn(waiter.account()).waiters.addLast(waiter);
        size++;
    }

    /** The same, but before the others of its account: it had its turn, and got nothing for it. */
    void addFirst(Waiter<T> waiter) {
        turn(waiter.account()).waiters.addFirst(waiter);
        size++;
    }

    private Turn<T> turn(String account) {
        Turn<T> turn = byAccount.get(account);
        if (turn == null) {
            long stride = LONGEST_STRIDE / Math.max(1, weights.applyAsInt(account));
            turn = new Turn<>(account, servedPlace + stride, arrivals++);
            byAccount.put(account, turn);
            byPlace.add(turn);
        }
        return turn;
    }

    private void forget(Turn<T> turn) {
        byAccount.remove(turn.account);
        byPlace.remove(turn);
    }

    /** Whether the queue, or the account's part of it, is longer than it may be. */
    boolean tooLong(String account, int most) {
        int share = (most + SHARES - 1) / SHARES;
        Turn<T> own = byAccount.get(account);
        return size > most || (own != null && own.waiters.size() > share);
    }

    /**
     * Whose turn it is.
     *
     * @param full models that have no room
     */
    Optional<Waiter<T>> next(Set<String> full) {
        for (Turn<T> turn : byPlace) {
            for (Waiter<T> waiter : turn.waiters) {
                if (!full.contains(waiter.model())) {
                    return Optional.of(waiter);
                }
            }
        }
        return Optional.empty();
    }

    /** It was its turn and it got room: its account goes back by its stride. */
    void served(Waiter<T> waiter, long nowMillis) {
        @Nullable Turn<T> turn = byAccount.get(waiter.account());
        if (turn == null || !turn.waiters.remove(waiter)) {
            throw new IllegalStateException("somebody was served who does not wait");
        }
        size--;
        servedPlace = Math.max(servedPlace, turn.place);
        forget(turn);
        if (!turn.waiters.isEmpty()) {
            turn(turn.account).waiters.addAll(turn.waiters);
        }
        servedMillis.addLast(nowMillis);
        if (servedMillis.size() > RATE_WINDOW) {
            servedMillis.removeFirst();
        }
    }

    /** Takes everybody out for whom this holds, longest waiting of each account first. */
    List<Waiter<T>> removeIf(Predicate<Waiter<T>> leaves) {
        List<Waiter<T>> left = new ArrayList<>();
        for (Iterator<Turn<T>> turns = byPlace.iterator(); turns.hasNext(); ) {
            Turn<T> turn = turns.next();
            turn.waiters.stream().filter(leaves).forEach(left::add);
            turn.waiters.removeIf(leaves);
            if (turn.waiters.isEmpty()) {
                turns.remove();
                byAccount.remove(turn.account);
            }
        }
        size -= left.size();
        return left;
    }

    /** Whether anybody waits for this model. */
    boolean waitsFor(String model) {
        return byPlace.stream()
                .flatMap(turn -> turn.waiters.stream())
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
