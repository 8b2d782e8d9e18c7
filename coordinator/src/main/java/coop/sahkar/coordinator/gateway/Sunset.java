package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import coop.sahkar.proto.v1.ModelStatus;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Tells whoever is answered by a model that it will be withdrawn (RFC 8594). */
final class Sunset {
    /** The header; its value is an HTTP date. */
    static final String HEADER = "sunset";

    private static final DateTimeFormatter HTTP_DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
                    .withZone(ZoneOffset.UTC);

    private Sunset() {}

    /**
     * The same response with the header, if there is something to tell.
     *
     * @param goneAtMillis Unix time from which the model is withdrawn; 0 when it stays
     */
    static HttpResponse on(HttpResponse response, long goneAtMillis) {
        return goneAtMillis == 0
                ? response
                : response.mapHeaders(headers ->
                        headers.withMutations(all -> all.set(HEADER, httpDate(goneAtMillis))));
    }

    /** Whether a model takes no more requests, though its last answers may still be under way. */
    static boolean over(ModelStatus model) {
        return model.getGoneAtMillis() != 0
                && model.getGoneAtMillis() <= System.currentTimeMillis();
    }

    static String httpDate(long unixMillis) {
        return HTTP_DATE.format(Instant.ofEpochMilli(unixMillis));
    }
}
