package coop.sahkar.proto.tls;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Enrolments that were revoked, as coordinators say. Whoever keeps connections is told when there
 * are others, so that it ends those of revoked nodes. Safe for use by many threads.
 */
public final class Revocations {
    /** As many as are taken over from a coordinator. */
    public static final int MAX_REVOKED = 20_000;

    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private volatile Set<Long> numbers = Set.of();

    /** Takes the numbers of all that are revoked; what was known before is forgotten. */
    public void replace(Collection<Long> revoked) {
        Set<Long> taken =
                revoked.stream().limit(MAX_REVOKED).collect(Collectors.toUnmodifiableSet());
        if (!taken.equals(numbers)) {
            numbers = taken;
            listeners.forEach(Runnable::run);
        }
    }

    /** Whether a node's certificates count no more. */
    public boolean revoked(NodeName name) {
        return numbers.contains(name.enrolment());
    }

    /** The same, as something to sift by. */
    public Predicate<NodeName> test() {
        return this::revoked;
    }

    /** Tells when the list has changed. */
    public void onChange(Runnable listener) {
        listeners.add(listener);
    }
}
