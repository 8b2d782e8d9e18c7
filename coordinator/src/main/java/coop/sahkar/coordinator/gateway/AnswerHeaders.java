package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.ResponseHeadersBuilder;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.RouteStageMessage;
import coop.sahkar.proto.v1.Started;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Headers that say which way an answer came and how fast, unless the operator has that off. In an
 * answer of several choices the first route known is told, and the speed of the last choice.
 * Guarded by the answer that owns it.
 */
final class AnswerHeaders {
    /** Worker and blocks of each stage, head first. */
    static final String ROUTE = "x-sahkar-route";

    /** From the request's start at the head to its first token, in milliseconds. */
    static final String FIRST_TOKEN = "x-sahkar-first-token-ms";

    /** From the first to the last token, in milliseconds. */
    static final String DECODE = "x-sahkar-decode-ms";

    private static final Pattern NOT_PLAIN = Pattern.compile("[^A-Za-z0-9._:-]");

    private final boolean on;
    private @Nullable String route;

    /**
     * @param on whether anything is told
     */
    AnswerHeaders(boolean on) {
        this.on = on;
    }

    void started(Started started) {
        if (route == null) {
            route =
                    started.getRouteList().stream()
                            .map(AnswerHeaders::stage)
                            .collect(Collectors.joining(", "));
        }
    }

    private static String stage(RouteStageMessage stage) {
        // From another machine: no line may be smuggled into a header.
        String worker = NOT_PLAIN.matcher(stage.getWorkerId()).replaceAll("_");
        return "%s;blocks=%d-%d"
                .formatted(worker, stage.getSpan().getFirst(), stage.getSpan().getEnd() - 1);
    }

    /** Adds what is known when an answer begins. */
    void addTo(ResponseHeadersBuilder headers) {
        String known = route;
        if (on
                && known != null
                && !known.isEmpty()
                && known.length() <= GatewayLimits.MAX_ROUTE_HEADER_CHARS) {
            headers.set(ROUTE, known);
        }
    }

    /** Adds what is known when it is complete. */
    void finished(ResponseHeadersBuilder headers, Finished end) {
        if (on) {
            headers.setLong(FIRST_TOKEN, end.getFirstTokenMicros() / 1_000);
            headers.setLong(DECODE, end.getDecodeMicros() / 1_000);
        }
    }
}
