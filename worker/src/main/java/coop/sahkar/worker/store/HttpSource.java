package coop.sahkar.worker.store;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A web server that holds the published file and honours {@code Range}. */
final class HttpSource implements Source {
    private static final int PARTIAL_CONTENT = 206;
    private static final int OK = 200;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int SERVER_ERRORS = 500;
    private static final int REQUEST_TIMEOUT = 408;

    private final String address;
    private final HttpClient client;
    private final int stallMillis;

    HttpSource(String address, int stallMillis) {
        this.address = address;
        this.stallMillis = stallMillis;
        this.client =
                HttpClient.newBuilder()
                        .followRedirects(HttpClient.Redirect.NORMAL)
                        .connectTimeout(Duration.ofMillis(stallMillis))
                        .build();
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public void read(String modelId, Piece piece, long from, Sink sink, Cancellation cancellation)
            throws SourceException, IOException, InterruptedException {
        long expected = piece.bytes() - from;
        if (expected == 0) {
            return;
        }
        long first = piece.offset() + from;
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(address))
                        .header("Range", "bytes=" + first + "-" + (first + expected - 1))
                        .header("Accept-Encoding", "identity")
                        .build();
        Body body = new Body(first);
        CompletableFuture<HttpResponse<Void>> answer =
                client.sendAsync(request, body::subscriberFor);
        var _ = answer.whenComplete((response, failure) -> body.ended(failure));
        try {
            new Download(body.queue, body::askForMore, stallMillis)
                    .pump(expected, sink, cancellation);
        } finally {
            body.stop();
            answer.cancel(true);
        }
    }

    @Override
    public void close() {
        client.shutdownNow();
    }

    /** Why this answer cannot be used, or null if it can. */
    private static @Nullable SourceException refusal(HttpResponse.ResponseInfo info, long first) {
        int status = info.statusCode();
        if (status == PARTIAL_CONTENT) {
            String range = info.headers().firstValue("Content-Range").orElse("");
            return range.startsWith("bytes " + first + "-")
                    ? null
                    : new SourceException(
                            SourceException.Kind.UNUSABLE,
                            "it answered with another range than was asked for");
        }
        if (status == OK) {
            return new SourceException(
                    SourceException.Kind.UNUSABLE,
                    "it ignores byte ranges and would send the whole file; use a server that"
                            + " honours Range");
        }
        boolean passing =
                status >= SERVER_ERRORS || status == TOO_MANY_REQUESTS || status == REQUEST_TIMEOUT;
        return new SourceException(
                passing ? SourceException.Kind.UNAVAILABLE : SourceException.Kind.UNUSABLE,
                "it answered with HTTP status " + status);
    }

    /** The body of one answer, message by message. */
    private static final class Body implements HttpResponse.BodySubscriber<@Nullable Void> {
        private final ChunkQueue queue = new ChunkQueue();
        private final long first;
        private final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
        private final AtomicReference<Flow.@Nullable Subscription> subscription =
                new AtomicReference<>();
        private volatile boolean stopped;
        private volatile @Nullable SourceException refused;

        Body(long first) {
            this.first = first;
        }

        HttpResponse.BodySubscriber<@Nullable Void> subscriberFor(HttpResponse.ResponseInfo info) {
            refused = refusal(info, first);
            return this;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            SourceException why = refused;
            if (why != null || stopped) {
                if (why != null) {
                    queue.failed(why);
                }
                given.cancel();
                done.complete(null);
                return;
            }
            subscription.set(given);
            given.request(1);
        }

        @Override
        public void onNext(List<ByteBuffer> items) {
            int bytes = items.stream().mapToInt(ByteBuffer::remaining).sum();
            ByteBuffer joined = ByteBuffer.allocate(bytes);
            items.forEach(joined::put);
            queue.bytes(joined.flip());
        }

        @Override
        public void onError(Throwable failure) {
            done.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            done.complete(null);
        }

        @Override
        public CompletionStage<@Nullable Void> getBody() {
            return done;
        }

        void askForMore() {
            Flow.Subscription open = subscription.get();
            if (open != null) {
                open.request(1);
            }
        }

        void stop() {
            stopped = true;
            Flow.Subscription open = subscription.get();
            if (open != null) {
                open.cancel();
            }
        }

        void ended(@Nullable Throwable failure) {
            if (failure == null) {
                queue.end();
                return;
            }
            String what = failure.getMessage() == null ? failure.toString() : failure.getMessage();
            queue.failed(
                    new SourceException(
                            SourceException.Kind.UNAVAILABLE, "it broke off: " + what, failure));
        }
    }
}
