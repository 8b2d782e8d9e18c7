package coop.sahkar.client.routing;

import coop.sahkar.client.provider.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What happened to one request so far.
 *
 * @param missed who was asked in vain, in order
 * @param delivered whether the reader has text already
 * @param waitedMillis how long it waited for providers, in all
 */
public record Course(List<Miss> missed, boolean delivered, long waitedMillis) {
    /** Nobody was asked yet. */
    public static final Course NEW = new Course(List.of(), false, 0);

    /**
     * A provider asked in vain.
     *
     * @param candidate which
     * @param failure why
     * @param againAtMillis when it may be asked again for this request
     */
    public record Miss(Candidate candidate, Failure failure, long againAtMillis) {}

    public Course {
        missed = List.copyOf(missed);
    }

    /**
     * After one more failure.
     *
     * @param chance in [0, 1): spreads the retries of many clients
     */
    public Course missed(
            Candidate candidate, Failure failure, Policy policy, long nowMillis, double chance) {
        int before = times(candidate.pair());
        long backoff =
                (long) ((policy.backoff().toMillis() << Math.min(before, 10)) * (0.5 + chance));
        long again = nowMillis + failure.retryAfter().map(r -> r.toMillis()).orElse(backoff);
        List<Miss> all = new ArrayList<>(missed);
        all.add(new Miss(candidate, failure, again));
        return new Course(all, delivered, waitedMillis);
    }

    /** Text reached the reader. */
    public Course withDelivery() {
        return delivered ? this : new Course(missed, true, waitedMillis);
    }

    /** Time passed in waiting. */
    public Course waited(long millis) {
        return new Course(missed, delivered, waitedMillis + millis);
    }

    /** The last miss. */
    public Optional<Miss> last() {
        return missed.isEmpty() ? Optional.empty() : Optional.of(missed.getLast());
    }

    Optional<Miss> last(Candidate.Pair pair) {
        return missed.reversed().stream().filter(m -> m.candidate.pair().equals(pair)).findFirst();
    }

    int times(Candidate.Pair pair) {
        return (int) missed.stream().filter(m -> m.candidate.pair().equals(pair)).count();
    }

    /** The longest context that was too short, when one was. */
    int contextTooShort() {
        return missed.stream()
                .filter(m -> m.failure.kind() == coop.sahkar.client.provider.FailureKind.CONTEXT)
                .mapToInt(m -> Math.max(1, m.candidate.offer().contextTokens()))
                .max()
                .orElse(0);
    }
}
