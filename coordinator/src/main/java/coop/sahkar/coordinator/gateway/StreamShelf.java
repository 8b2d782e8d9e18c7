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

    /** Goes on behind an event that was seen. */
    HttpResponse resume(String lastEventId) {
        int dot = lastEventId.lastIndexOf('.');
        KeptStream kept = dot < 0 ? null : find(lastEventId.substring(0, dot));
        HttpResponse response = kept == null ? null : kept.read(number(lastEventId, dot + 1));
        return response == null ? gone() : response;
    }

    private static long number(String id, int from) {
        try {
            return Long.parseLong(id, from, id.length(), 10);
        } catch (NumberFormatException _) {
            return -1;
        }
    }

    private static HttpResponse gone() {
        return OpenAiErrors.plain(
                HttpStatus.NOT_FOUND.code(),
                ("No stream of this Last-Event-ID is kept here: it is over for too long, or began at"
                                + " another coordinator, or without %s: true.")
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
