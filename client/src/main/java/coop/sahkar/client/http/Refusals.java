package coop.sahkar.client.http;

import coop.sahkar.client.json.Json;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** What a service means by a status and an error body. */
final class Refusals {
    private static final List<String> CONTEXT =
            List.of(
                    "context_length_exceeded",
                    "context length",
                    "context window",
                    "maximum context",
                    "prompt is too long",
                    "input is too long",
                    "too many tokens",
                    "reduce the length");
    private static final List<String> QUOTA =
            List.of(
                    "insufficient_quota",
                    "insufficient balance",
                    "billing",
                    "credit",
                    "per day",
                    "perday",
                    "daily",
                    "monthly",
                    "exceeded your current quota");
    private static final List<String> MODEL =
            List.of("model_not_found", "model_decommissioned", "model not found", "unknown model");
    private static final List<String> KEY =
            List.of("api_key_invalid", "api key not valid", "invalid api key", "invalid_api_key");

    private Refusals() {}

    /**
     * A refusal by status.
     *
     * @param name of the service, for the sentence
     * @param header its headers by name
     * @param body as far as it was read; need not be JSON
     */
    static Failure of(
            String name,
            int status,
            Function<String, Optional<String>> header,
            String body,
            Instant now) {
        Json json = Json.parse(body).orElse(new Json(null));
        Json root = json.get(0).isObject() ? json.get(0) : json;
        Json error = root.get("error");
        if (status >= 300 && status < 400) {
            return Failure.of(
                    FailureKind.BROKEN,
                    "%s redirects to %s, which is not followed with a key; set the base URL to where it lives."
                            .formatted(name, quoted(header.apply("location").orElse("nowhere"))));
        }
        FailureKind kind = kind(status, error, body);
        Optional<Duration> rest = Rests.ofRefusal(header, root, now);
        Failure failure =
                Failure.of(kind, "%s: %s".formatted(name, words(status, root, error)))
                        .field(error.get("param").text())
                        .retryAfter(rest);
        boolean never = header.apply("x-should-retry").filter("false"::equals).isPresent();
        return never ? withoutRetry(failure) : failure;
    }

    /** A failure told in the middle of a stream. */
    static Failure inStream(String name, Json error) {
        String type = error.get("type").text() + " " + error.get("code").text();
        int status =
                switch (error.get("type").text()) {
                    case "overloaded_error", "api_error", "server_error" -> 529;
                    case "rate_limit_error" -> 429;
                    case "authentication_error", "permission_error" -> 401;
                    case "not_found_error" -> 404;
                    case "invalid_request_error" -> 400;
                    default -> error.get("code").integer();
                };
        FailureKind kind = status >= 400 ? kind(status, error, type) : FailureKind.OVERLOAD;
        String said = error.get("message").text();
        return Failure.of(
                        kind,
                        "%s: %s"
                                .formatted(
                                        name,
                                        said.isEmpty() ? "failed without a reason" : quoted(said)))
                .field(error.get("param").text());
    }

    private static Failure withoutRetry(Failure f) {
        return new Failure(
                f.kind(), f.message(), f.field(), f.retryAfter(), false, f.problem(), f.cause());
    }

    private static FailureKind kind(int status, Json error, String body) {
        String said =
                (error.get("code").text()
                                + " "
                                + error.get("type").text()
                                + " "
                                + error.get("message").text()
                                + " "
                                + (error.isPresent() ? error.get("details").value() : body))
                        .toLowerCase(Locale.ROOT);
        return switch (status) {
            case 401, 403 -> FailureKind.AUTH;
            case 402 -> FailureKind.QUOTA;
            case 404, 410 -> FailureKind.NOT_FOUND;
            case 408 -> FailureKind.TIMEOUT;
            case 413 -> FailureKind.CONTEXT;
            case 425, 429 -> says(said, QUOTA) ? FailureKind.QUOTA : FailureKind.RATE;
            case 501, 505 -> FailureKind.BROKEN;
            default -> {
                if (status >= 500) {
                    yield FailureKind.OVERLOAD;
                }
                if (status < 400) {
                    yield FailureKind.BROKEN;
                }
                if (says(said, KEY)) {
                    yield FailureKind.AUTH;
                }
                if (says(said, MODEL)) {
                    yield FailureKind.NOT_FOUND;
                }
                yield says(said, CONTEXT) ? FailureKind.CONTEXT : FailureKind.BAD_REQUEST;
            }
        };
    }

    private static boolean says(String said, List<String> any) {
        return any.stream().anyMatch(said::contains);
    }

    private static String words(int status, Json root, Json error) {
        for (Json place :
                List.of(error.get("message"), error, root.get("message"), root.get("detail"))) {
            if (!place.text().isBlank()) {
                return "%s (HTTP %d)".formatted(quoted(place.text()), status);
            }
        }
        return "HTTP %d without a reason".formatted(status);
    }

    /** A service's own words, on one line and not too many. */
    static String quoted(String text) {
        String line = text.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
        return line.length() <= Bounds.MAX_QUOTED_CHARS
                ? line
                : line.substring(0, Bounds.MAX_QUOTED_CHARS) + "…";
    }
}
