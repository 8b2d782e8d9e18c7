package coop.sahkar.client;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An answer as a {@link Flow.Publisher}, for one subscriber: asked when he subscribes, read from
 * the provider no faster than he requests pieces. Cancelling the subscription cancels the work.
 */
public final class AnswerPublisher implements Flow.Publisher<TextPiece> {
    private final Supplier<TokenStream> start;
    private final AtomicBoolean taken = new AtomicBoolean();
    private final CompletableFuture<Completion> completion = new CompletableFuture<>();

    AnswerPublisher(Supplier<TokenStream> start) {
        this.start = start;
    }

    /** The whole answer once it is there, or an {@link InferenceException}. */
    public CompletionStage<Completion> completion() {
        return completion.minimalCompletionStage();
    }

    @Override
    public void subscribe(Flow.Subscriber<? super TextPiece> subscriber) {
        if (!taken.compareAndSet(false, true)) {
            subscriber.onSubscribe(NOTHING);
            subscriber.onError(
                    new IllegalStateException(
                            "this answer has a subscriber already; ask again for another"));
            return;
        }
        Reading reading = new Reading(subscriber, start.get());
        subscriber.onSubscribe(reading);
        Thread.ofVirtual().name("sahkar-answer").start(reading::run);
    }

    private static final Flow.Subscription NOTHING =
            new Flow.Subscription() {
                @Override
                public void request(long n) {}

                @Override
                public void cancel() {}
            };

    /** The thread that pulls while there is demand. */
    private final class Reading implements Flow.Subscription {
        private final Flow.Subscriber<? super TextPiece> subscriber;
        private final TokenStream stream;
        private final Semaphore demand = new Semaphore(0);
        private volatile boolean cancelled;
        private volatile @Nullable IllegalArgumentException wrong;

        Reading(Flow.Subscriber<? super TextPiece> subscriber, TokenStream stream) {
            this.subscriber = subscriber;
            this.stream = stream;
        }

        @Override
        public void request(long n) {
            if (n <= 0) {
                wrong = new IllegalArgumentException("request more than 0 pieces, not " + n);
            }
            // More than anybody reads is as good as all.
            demand.release(Math.clamp(n, 1, Integer.MAX_VALUE - demand.availablePermits()));
        }

        @Override
        public void cancel() {
            cancelled = true;
            stream.cancel();
            demand.release();
        }

        void run() {
            try (stream) {
                while (stream.hasNext()) {
                    demand.acquire();
                    if (wrong != null) {
                        throw wrong;
                    }
                    if (cancelled) {
                        completion.completeExceptionally(cancellation());
                        return;
                    }
                    subscriber.onNext(stream.next());
                }
                completion.complete(stream.completion());
                subscriber.onComplete();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException e) {
                completion.completeExceptionally(e);
                if (!cancelled) {
                    subscriber.onError(e);
                }
            }
        }

        private InferenceException cancellation() {
            return InferenceException.of(
                    coop.sahkar.client.provider.Failure.of(
                            coop.sahkar.client.provider.FailureKind.CANCELLED,
                            "The subscriber cancelled."));
        }
    }
}
