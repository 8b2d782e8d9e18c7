package coop.sahkar.client;

import coop.sahkar.client.provider.Answer;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.client.provider.Patience;
import coop.sahkar.client.routing.Candidate;
import coop.sahkar.client.routing.Need;
import coop.sahkar.client.routing.TokenEstimate;
import java.time.Duration;
import java.util.Optional;

/** One provider at work for one request: how long it may be silent, and what it used. */
final class Attempt {
    private final Candidate candidate;
    private final Answer answer;
    private final Need need;
    private final Dispatcher dispatcher;
    private final int firstChar;
    private final long begunMillis = Dispatcher.nowMillis();
    private final long begunNanos = System.nanoTime();
    private long lifeNanos = begunNanos;
    private Optional<Duration> firstText = Optional.empty();
    private boolean over;

    Attempt(Candidate candidate, Answer answer, Need need, Dispatcher dispatcher, int firstChar) {
        this.candidate = candidate;
        this.answer = answer;
        this.need = need;
        this.dispatcher = dispatcher;
        this.firstChar = firstChar;
        dispatcher.listener().asked(candidate.pair().provider(), candidate.pair().model());
    }

    Candidate candidate() {
        return candidate;
    }

    Answer answer() {
        return answer;
    }

    /** Index in the whole answer of the first character that is this provider's. */
    int firstChar() {
        return firstChar;
    }

    boolean hasText() {
        return firstText.isPresent();
    }

    /** How much longer it may be silent; not positive: it is over. */
    Duration patienceLeft() {
        Patience patience = candidate.profile().patience();
        long spent = System.nanoTime() - (hasText() ? lifeNanos : begunNanos);
        return (hasText() ? patience.silence() : patience.first()).minusNanos(spent);
    }

    void alive() {
        lifeNanos = System.nanoTime();
    }

    void text() {
        alive();
        if (!hasText()) {
            Duration time = since(begunNanos);
            firstText = Optional.of(time);
            dispatcher.answered(candidate, time);
        }
    }

    /** Time to the first text and from there to now, as seen from here. */
    Completion.Timings timings() {
        Duration total = since(begunNanos);
        Duration first = firstText.orElse(total);
        return new Completion.Timings(first, total.minus(first));
    }

    /** Tokens by estimate, for what was delivered so far. */
    Completion.Usage estimate(CharSequence wholeText) {
        String own = wholeText.subSequence(firstChar, wholeText.length()).toString();
        return new Completion.Usage(need.promptTokens(), TokenEstimate.of(own), 0, true);
    }

    /** Counts it as over, once. */
    void end(Optional<FailureKind> failure, Completion.Usage usage) {
        if (over) {
            return;
        }
        over = true;
        dispatcher.ended(candidate, need, usage, begunMillis);
        dispatcher
                .listener()
                .ended(
                        new ClientListener.Attempt(
                                candidate.pair().provider(),
                                candidate.pair().model(),
                                failure,
                                firstText,
                                since(begunNanos),
                                usage));
    }

    private static Duration since(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos);
    }
}
