package coop.sahkar.client.routing;

import java.time.Duration;

/**
 * How a client chooses among its providers, and when it goes on to another.
 *
 * @param preference which of the providers that can answer is asked first
 * @param retries how many times more one provider is asked for one request, where that may help
 * @param backoff the wait before the first of these; doubled each time, and varied by chance
 * @param waitAtMost how long one request may wait in all for providers that rest or are at their
 *     limits
 * @param attemptsAtMost how many times anybody is asked for one request
 * @param rests whether a provider that failed is left alone for a while; one that says how long is
 *     left alone that long
 * @param mayTrain the caller's consent that providers which train on what they are sent, or of
 *     which that is not known, are asked
 * @param mayContinue the caller's consent that another provider goes on with a half-delivered
 *     answer
 */
public record Policy(
        Preference preference,
        int retries,
        Duration backoff,
        Duration waitAtMost,
        int attemptsAtMost,
        boolean rests,
        boolean mayTrain,
        boolean mayContinue) {
    /** Which provider goes first. */
    public enum Preference {
        /** As the caller listed them. */
        ORDER,
        /** What the request is expected to cost. */
        COST,
        /** Time to the first text, as seen before; one never asked goes first. */
        LATENCY
    }

    /** In order; two retries; waits up to ten seconds; no consents. */
    public static final Policy FALLBACK =
            new Policy(
                    Preference.ORDER,
                    2,
                    Duration.ofMillis(250),
                    Duration.ofSeconds(10),
                    12,
                    true,
                    false,
                    false);

    /** Asked once, nothing remembered: for a pool alone, which finds other ways by itself. */
    public static final Policy ONCE =
            new Policy(
                    Preference.ORDER,
                    0,
                    Duration.ofMillis(250),
                    Duration.ZERO,
                    1,
                    false,
                    false,
                    false);

    public Policy {
        if (retries < 0 || attemptsAtMost < 1 || !backoff.isPositive() || waitAtMost.isNegative()) {
            throw new IllegalArgumentException("a policy asks at least once and waits forwards");
        }
    }

    public Policy prefer(Preference first) {
        return new Policy(
                first, retries, backoff, waitAtMost, attemptsAtMost, rests, mayTrain, mayContinue);
    }

    public Policy retries(int times) {
        return new Policy(
                preference,
                times,
                backoff,
                waitAtMost,
                attemptsAtMost,
                rests,
                mayTrain,
                mayContinue);
    }

    public Policy backoff(Duration first) {
        return new Policy(
                preference,
                retries,
                first,
                waitAtMost,
                attemptsAtMost,
                rests,
                mayTrain,
                mayContinue);
    }

    public Policy waitAtMost(Duration longest) {
        return new Policy(
                preference,
                retries,
                backoff,
                longest,
                attemptsAtMost,
                rests,
                mayTrain,
                mayContinue);
    }

    /** The caller lets providers be asked that train on what they are sent, or may. */
    public Policy allowTraining() {
        return new Policy(
                preference, retries, backoff, waitAtMost, attemptsAtMost, rests, true, mayContinue);
    }

    /** The caller lets another provider go on with an answer of which a part was delivered. */
    public Policy allowContinuing() {
        return new Policy(
                preference, retries, backoff, waitAtMost, attemptsAtMost, rests, mayTrain, true);
    }
}
