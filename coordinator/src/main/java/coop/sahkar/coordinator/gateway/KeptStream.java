package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.ResponseHeaders;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/**
 * A stream of events that outlives its reader's connection. Each event gets an id; the last of
 * them, up to a bound of bytes, are kept, and a reader that comes back is given what it has not
 * seen. While nobody reads, the stream goes on until the bound is reached, and then waits.
 * Thread-safe.
 */
final class KeptStream implements Subscriber<HttpObject> {
    private static final String ID = "id: ";

    private record Kept(long number, HttpData event) {}

    private final String id;
    private final Runnable whenReaderLeft;
    private final Runnable whenDone;

    // All below: guarded by this.
    private final Queue<Kept> kept = new ArrayDeque<>();
    private @Nullable Subscription source;
    private @Nullable ResponseHeaders headers;
    private @Nullable HttpResponseWriter reader;
    private long keptBytes;
    private long count;
    private long dropped;
    private boolean asked;
    private boolean done;

    /**
     * @param id what its events' ids begin with
     * @param whenReaderLeft run when the reader's connection is gone before the end
     * @param whenDone run when the last event has come
     */
    KeptStream(String id, Runnable whenReaderLeft, Runnable whenDone) {
        this.id = id;
        this.whenReaderLeft = whenReaderLeft;
        this.whenDone = whenDone;
    }

    /**
     * Goes on for a reader; one that read before is hung up on.
     *
     * @param seen number of the last event it has seen; 0 for none
     * @return null when events behind that are not kept any more
     */
    @Nullable HttpResponse read(long seen) {
        HttpResponseWriter writer = HttpResponse.streaming();
        HttpResponseWriter before;
        synchronized (this) {
            if (seen < dropped || seen > count) {
                return null;
            }
            before = reader;
            reader = writer;
            replay(writer, seen);
        }
        var _ =
                writer.whenComplete()
                        .exceptionally(_ -> {
                            left(writer);
                            return null;
                        });
        if (before != null) {
            before.abort();
        }
        return writer;
    }

    private void replay(HttpResponseWriter writer, long seen) {
        if (headers != null) {
            var _ = writer.tryWrite(headers);
        }
        for (Kept one : kept) {
            if (one.number() > seen) {
                var _ = writer.tryWrite(one.event());
            }
        }
        if (done) {
            writer.close();
        } else {
            askWhenConsumed(writer);
        }
    }

    /** Nobody comes back: whatever makes the stream is to stop. */
    void giveUp() {
        Subscription ending;
        synchronized (this) {
            ending = source;
        }
        if (ending != null) {
            ending.cancel();
        }
    }

    /** Whether it goes on and nobody reads it. */
    synchronized boolean deserted() {
        return reader == null && !done;
    }

    private void left(HttpResponseWriter writer) {
        synchronized (this) {
            if (done || reader == null || !reader.equals(writer)) {
                return;
            }
            reader = null;
            ask();
        }
        whenReaderLeft.run();
    }

    @Override
    public synchronized void onSubscribe(Subscription subscription) {
        source = subscription;
        ask();
    }

    @Override
    public synchronized void onNext(HttpObject object) {
        asked = false;
        HttpObject passed = object;
        if (object instanceof ResponseHeaders begin) {
            headers = begin;
        } else if (object instanceof HttpData data) {
            passed = keep(data);
        }
        HttpResponseWriter writer = reader;
        if (writer == null) {
            ask();
        } else {
            var _ = writer.tryWrite(passed);
            askWhenConsumed(writer);
        }
    }

    /** Comments are passed on, and not kept. An id that an event has goes behind the own one. */
    private HttpData keep(HttpData event) {
        String text = event.toStringUtf8();
        boolean marked = text.startsWith(ID);
        if (!marked && !text.startsWith("data: ")) {
            return event;
        }
        count++;
        String rest = marked ? "." + text.substring(ID.length()) : "\n" + text;
        HttpData named = HttpData.ofUtf8("%s%s.%d%s".formatted(ID, id, count, rest));
        kept.add(new Kept(count, named));
        keptBytes += named.length();
        while (keptBytes > GatewayLimits.MAX_KEPT_STREAM_BYTES && reader != null) {
            Kept oldest = kept.remove();
            keptBytes -= oldest.event().length();
            dropped = oldest.number();
        }
        return named;
    }

    @Override
    public void onError(Throwable failure) {
        end();
    }

    @Override
    public void onComplete() {
        end();
    }

    private void end() {
        synchronized (this) {
            done = true;
            if (reader != null) {
                reader.close();
            }
        }
        whenDone.run();
    }

    private void askWhenConsumed(HttpResponseWriter writer) {
        var _ = writer.whenConsumed().thenRun(this::ask);
    }

    private void ask() {
        Subscription asking;
        synchronized (this) {
            boolean full = reader == null && keptBytes > GatewayLimits.MAX_KEPT_STREAM_BYTES;
            if (source == null || asked || full) {
                return;
            }
            asked = true;
            asking = source;
        }
        asking.request(1);
    }
}
