package coop.sahkar.client;

import coop.sahkar.client.provider.AnswerEvent;
import coop.sahkar.client.provider.Call;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.client.routing.Candidate;
import coop.sahkar.client.routing.Course;
import coop.sahkar.client.routing.Need;
import coop.sahkar.client.routing.Policy;
import coop.sahkar.client.routing.Step;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An answer as it comes. Pull pieces until there are none, then ask for the {@link #completion()}.
 * One thread reads; any thread may {@link #cancel()}. Closing a stream that is not at its end
 * cancels the work at the provider.
 */
public final class TokenStream implements Iterator<TextPiece>, AutoCloseable {
    private final InferenceRequest request;
    private final long seed;
    private final Need need;
    private final List<Candidate> candidates;
    private final Dispatcher dispatcher;
    private final Policy policy;
    private final long deadlineNanos;
    private final CountDownLatch cancelled = new CountDownLatch(1);
    private final AnswerSoFar soFar = new AnswerSoFar();
    private Course course = Course.NEW;
    private volatile @Nullable Attempt attempt;
    private @Nullable TextPiece next;
    private @Nullable Completion completion;
    private @Nullable InferenceException failure;

    TokenStream(InferenceRequest request, long seed, Dispatcher dispatcher, Policy policy) {
        this.request = request;
        this.seed = seed;
        this.need = Need.of(request);
        this.dispatcher = dispatcher;
        this.candidates = dispatcher.candidates(need);
        this.policy = policy;
        this.deadlineNanos =
                System.nanoTime()
                        + request.options()
                                .timeout()
                                .orElse(coop.sahkar.client.provider.Patience.FOREVER)
                                .toNanos();
        if (dispatcher.next(need, candidates, course, policy) instanceof Step.Ask(var first)) {
            ask(first);
        }
    }

    /**
     * Waits for the next piece.
     *
     * @return whether there is one; false at the end of the answer
     * @throws InferenceException if the answer cannot be completed
     */
    @Override
    public boolean hasNext() {
        while (next == null && completion == null) {
            advance();
        }
        return next != null;
    }

    @Override
    public TextPiece next() {
        if (!hasNext() || next == null) {
            throw new NoSuchElementException("the answer is complete");
        }
        TextPiece piece = next;
        next = null;
        return piece;
    }

    /** Who answers; empty until the first piece, or the end, has come. */
    public Optional<Answering> answering() {
        return soFar.answering();
    }

    /**
     * Reads on to the end, if it is not reached yet.
     *
     * @return the complete answer
     * @throws InferenceException if it cannot be completed
     */
    public Completion completion() {
        while (completion == null) {
            next = null;
            advance();
        }
        return completion;
    }

    /** The text so far, also after a failure. */
    public String textSoFar() {
        return soFar.text().toString();
    }

    /** Ends the work; the reader gets {@link InferenceException.Cancelled}. */
    public void cancel() {
        cancelled.countDown();
        Attempt running = attempt;
        if (running != null) {
            running.answer().cancel();
        }
    }

    @Override
    public void close() {
        if (completion == null && failure == null) {
            cancel();
            end(FailureKind.CANCELLED);
        }
    }

    private void advance() {
        if (failure != null) {
            throw failure;
        }
        try {
            Attempt running = attempt;
            if (running == null) {
                begin();
            } else {
                on(running, running.answer().take(longest(running)));
            }
        } catch (InterruptedException e) {
            cancel();
            Thread.currentThread().interrupt();
            throw fail(Failure.of(FailureKind.CANCELLED, "The reading thread was interrupted."));
        }
    }

    private void begin() throws InterruptedException {
        if (isCancelled()) {
            throw fail(Failure.of(FailureKind.CANCELLED, "The generation was cancelled."));
        }
        if (timeLeft().isZero()) {
            throw fail(tooLate());
        }
        switch (dispatcher.next(need, candidates, course, policy)) {
            case Step.Ask(Candidate candidate) -> ask(candidate);
            case Step.Wait(long millis) -> pause(Duration.ofMillis(millis));
            case Step.GiveUp(var skipped) -> throw fail(GivingUp.failure(need, course, skipped));
        }
    }

    private void pause(Duration time) throws InterruptedException {
        dispatcher.listener().waiting(time);
        course = course.waited(time.toMillis());
        long nanos = Math.min(time.toNanos(), timeLeft().toNanos());
        // A cancelled stream is noticed by the next look.
        var _ = cancelled.await(nanos, TimeUnit.NANOSECONDS);
    }

    private void ask(Candidate candidate) {
        Optional<Duration> left = request.options().timeout().map(_ -> timeLeft());
        int granted = request.options().maxTokens();
        int most = granted == 0 ? 0 : Math.max(1, granted - soFar.tokens());
        Call call =
                new Call(
                        request,
                        candidate.offer().model(),
                        soFar.text().toString(),
                        most,
                        seed,
                        left);
        Attempt started =
                new Attempt(
                        candidate,
                        dispatcher.provider(candidate).ask(call),
                        need,
                        dispatcher,
                        soFar.text().length());
        attempt = started;
        if (isCancelled()) {
            started.answer().cancel();
        }
    }

    private void on(Attempt running, AnswerEvent event) {
        switch (event) {
            case AnswerEvent.Started(Answering who) -> {
                running.alive();
                soFar.answering(who);
            }
            case AnswerEvent.Alive() -> running.alive();
            case AnswerEvent.Exhausted(Duration rest) ->
                    dispatcher.exhausted(running.candidate(), rest);
            case AnswerEvent.Piece(TextPiece piece) -> piece(running, piece);
            case AnswerEvent.Finished done -> {
                completion = soFar.completed(running, done, course);
                running.end(Optional.empty(), done.usage().orElse(running.estimate(soFar.text())));
            }
            case AnswerEvent.Failed(Failure why) -> failed(running, why);
            case AnswerEvent.Silence() -> silent(running);
        }
    }

    private void piece(Attempt running, TextPiece piece) {
        running.text();
        soFar.add(piece);
        if (!piece.text().isEmpty()) {
            course = course.withDelivery();
        }
        next = piece;
    }

    private void silent(Attempt running) {
        if (timeLeft().isZero()) {
            running.answer().cancel();
            end(FailureKind.DEADLINE);
            throw fail(tooLate());
        }
        if (!running.patienceLeft().isPositive()) {
            running.answer().cancel();
            String name = running.candidate().profile().name();
            failed(
                    running,
                    Failure.of(
                            FailureKind.TIMEOUT,
                            running.hasText()
                                    ? "%s fell silent in the middle of its answer.".formatted(name)
                                    : "%s did not begin to answer in time.".formatted(name)));
        }
    }

    private void failed(Attempt running, Failure why) {
        boolean half = running.hasText() && !why.kind().isFinal();
        Failure failed = half ? why.as(FailureKind.MID_STREAM) : why;
        end(failed.kind());
        attempt = null;
        soFar.partEnded(running);
        course = dispatcher.failed(running.candidate(), failed, course, policy);
        if (why.kind().isFinal()) {
            throw fail(why);
        }
    }

    private void end(FailureKind kind) {
        Attempt running = attempt;
        if (running != null) {
            running.end(Optional.of(kind), running.estimate(soFar.text()));
        }
    }

    private InferenceException fail(Failure why) {
        InferenceException made = InferenceException.of(why, AnswerSoFar.tried(course));
        failure = made;
        return made;
    }

    private boolean isCancelled() {
        return cancelled.getCount() == 0;
    }

    private Duration longest(Attempt running) {
        Duration patience = running.patienceLeft();
        Duration time = timeLeft();
        Duration less = patience.compareTo(time) < 0 ? patience : time;
        return less.isNegative() ? Duration.ZERO : less;
    }

    /** Zero when it is over. */
    private Duration timeLeft() {
        return Duration.ofNanos(Math.max(0, deadlineNanos - System.nanoTime()));
    }

    private static Failure tooLate() {
        return Failure.of(FailureKind.DEADLINE, "The time allowed for the answer has passed.");
    }
}
