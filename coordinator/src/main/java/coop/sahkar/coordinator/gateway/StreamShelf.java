package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.stream.SubscriptionOption;
import coop.sahkar.proto.Problem;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Streams that can be gone on with after a lost connection, for callers who ask for it: a bounded
 * number, each for a bounded time. Thread-safe.
 */
final class StreamShelf {
    /** Asks for a stream that can be gone on with. */
    static final String ASK = "x-sahkar-resumable";

    /** Names the last event that was seen. */
    static final String LAST_EVENT = "last-event-id";

    private static final int ID_BYTES = 16;

    /** Of an id: the stream, the event's number, and, for other coordinators, mark and place. */
    private static final int PARTS = 4;

    private final SecureRandom random = new SecureRandom();
    private final ScheduledExecutorService timer;
    private final Map<String, KeptStream> streams = new LinkedHashMap<>();

    StreamShelf(ScheduledExecutorService timer) {
        this.timer = timer;
    }

    /**
     * Keeps a stream and reads it.
     *
     * @return the response, or one that refuses when too many are kept
     */
    HttpResponse keep(HttpResponse stream) {
        byte[] bytes = new byte[ID_BYTES];
        random.nextBytes(bytes);
        String id = HexFormat.of().formatHex(bytes);
        KeptStream kept =
                new KeptStream(
                        id,
                        () -> later(GatewayLimits.DESERTED_STREAM_MILLIS, () -> desert(id)),
                        () -> later(GatewayLimits.KEPT_STREAM_MILLIS, () -> forget(id)));
        synchronized (this) {
            if (streams.size() >= GatewayLimits.MAX_KEPT_STREAMS) {
                stream.abort();
                return OpenAiErrors.response(
                        Problem.of(
                                Problem.Kind.OVERLOADED,
                                ("%d resumable streams are open, as many as this coordinator keeps;"
                                                + " try again soon, or without %s.")
                                        .formatted(GatewayLimits.MAX_KEPT_STREAMS, ASK)));
            }
            streams.put(id, kept);
        }
        HttpResponse response = kept.read(0);
        stream.subscribe(kept, SubscriptionOption.NOTIFY_CANCELLATION);
        return response == null ? gone() : response;
    }

    /**
     * Goes on behind an event that was seen.
     *
     * @return null if its stream is not kept here
     */
    @Nullable HttpResponse resume(String lastEventId) {
        String[] parts = lastEventId.split("\\.", PARTS);
        KeptStream kept = parts.length < 2 ? null : find(parts[0]);
        return kept == null ? null : kept.read(number(parts[1]));
    }

    /**
     * The stream of an event that was seen, as its id tells it to any coordinator.
     *
     * @return null if it does not, or tells it to another caller or of another request
     */
    static StreamMarks.@Nullable Found elsewhere(
            String lastEventId, StreamMarks marks, StreamMarks.Asked asked) {
        String[] parts = lastEventId.split("\\.", PARTS);
        return parts.length < PARTS ? null : marks.find(asked, parts[2], parts[3]);
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException _) {
            return -1;
        }
    }

    /** There is no such stream. */
    static HttpResponse gone() {
        return OpenAiErrors.plain(
                HttpStatus.NOT_FOUND.code(),
                ("No stream goes on behind this Last-Event-ID: it is over for too long, began without"
                                + " %s: true, or with another request or key, or it is one of several"
                                + " answers, or with logprobs, and was kept by a coordinator that is lost.")
                        .formatted(ASK),
                "stream_not_found");
    }

    private synchronized @Nullable KeptStream find(String id) {
        return streams.get(id);
    }

    private void desert(String id) {
        KeptStream kept = find(id);
        if (kept != null && kept.deserted()) {
            forget(id);
            kept.giveUp();
        }
    }

    private synchronized void forget(String id) {
        streams.remove(id);
    }

    private void later(long millis, Runnable what) {
        try {
            var _ = timer.schedule(what, millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closing) {
            what.run();
        }
    }
}
