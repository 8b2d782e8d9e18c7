package coop.sahkar.client.http;

import coop.sahkar.client.json.Json;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How long a service wants to be left alone, from the headers and bodies it says so in. Times in
 * the past are no rest; numbers that cannot be read say nothing.
 */
final class Rests {
    private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|h|m|s)");
    private static final Pattern ALL_PARTS = Pattern.compile("(?:\\d+(?:\\.\\d+)?(?:ms|h|m|s))+");
    private static final Pattern NUMBER = Pattern.compile("\\d{1,15}(?:\\.\\d{1,9})?");
    private static final List<String> METERS = List.of("requests", "tokens");

    /** A number of seconds above this is a time, one above the next a time in milliseconds. */
    private static final double FIRST_EPOCH_SECOND = 1e9;

    private static final double FIRST_EPOCH_MILLI = 1e12;

    private Rests() {}

    /** What a refusal says: the most specific header goes first. */
    static Optional<Duration> ofRefusal(
            Function<String, Optional<String>> header, Json body, Instant now) {
        return header.apply("retry-after-ms")
                .flatMap(Rests::millis)
                .or(() -> header.apply("retry-after").flatMap(text -> retryAfter(text, now)))
                .or(() -> used(header, now))
                .or(() -> header.apply("x-ratelimit-reset").flatMap(text -> moment(text, now)))
                .or(() -> retryDelay(body))
                .filter(Duration::isPositive);
    }

    /** When a meter of which nothing remains is full again; also told beside good answers. */
    static Optional<Duration> used(Function<String, Optional<String>> header, Instant now) {
        Optional<Duration> longest = Optional.empty();
        for (String meter : METERS) {
            for (String[] names : names(meter)) {
                boolean nothing = header.apply(names[0]).filter("0"::equals).isPresent();
                Optional<Duration> rest =
                        nothing
                                ? header.apply(names[1]).flatMap(text -> moment(text, now))
                                : Optional.empty();
                if (rest.isPresent()
                        && longest.filter(l -> l.compareTo(rest.get()) >= 0).isEmpty()) {
                    longest = rest;
                }
            }
        }
        return longest.filter(Duration::isPositive);
    }

    private static List<String[]> names(String meter) {
        return List.of(
                new String[] {"x-ratelimit-remaining-" + meter, "x-ratelimit-reset-" + meter},
                new String[] {
                    "anthropic-ratelimit-" + meter + "-remaining",
                    "anthropic-ratelimit-" + meter + "-reset"
                });
    }

    /** {@code 6m0s}, {@code 120ms}, {@code 2.5}; an epoch in s or ms; an RFC 3339 time. */
    static Optional<Duration> moment(String text, Instant now) {
        String trimmed = text.strip();
        if (NUMBER.matcher(trimmed).matches()) {
            double number = Double.parseDouble(trimmed);
            if (number >= FIRST_EPOCH_MILLI) {
                return Optional.of(Duration.between(now, Instant.ofEpochMilli((long) number)));
            }
            return Optional.of(
                    number >= FIRST_EPOCH_SECOND
                            ? Duration.between(now, Instant.ofEpochSecond((long) number))
                            : seconds(number));
        }
        if (trimmed.length() <= 40 && ALL_PARTS.matcher(trimmed).matches()) {
            return Optional.of(sum(PART.matcher(trimmed)));
        }
        try {
            return Optional.of(Duration.between(now, Instant.parse(trimmed)));
        } catch (DateTimeException notATime) {
            return Optional.empty();
        }
    }

    private static Duration sum(Matcher part) {
        double seconds = 0;
        while (part.find()) {
            double number = Double.parseDouble(part.group(1));
            seconds +=
                    switch (part.group(2)) {
                        case "h" -> number * 3600;
                        case "m" -> number * 60;
                        case "ms" -> number / 1000;
                        default -> number;
                    };
        }
        return seconds(seconds);
    }

    private static Optional<Duration> millis(String text) {
        return NUMBER.matcher(text.strip()).matches()
                ? Optional.of(seconds(Double.parseDouble(text.strip()) / 1000))
                : Optional.empty();
    }

    private static Optional<Duration> retryAfter(String text, Instant now) {
        if (NUMBER.matcher(text.strip()).matches()) {
            return Optional.of(seconds(Double.parseDouble(text.strip())));
        }
        try {
            Instant at =
                    ZonedDateTime.parse(text.strip(), DateTimeFormatter.RFC_1123_DATE_TIME)
                            .toInstant();
            return Optional.of(Duration.between(now, at));
        } catch (DateTimeException notADate) {
            return Optional.empty();
        }
    }

    /** Google's {@code RetryInfo} among the details of an error. */
    private static Optional<Duration> retryDelay(Json body) {
        return body.get("error").get("details").elements().stream()
                .map(detail -> detail.get("retryDelay").text())
                .filter(text -> text.length() <= 40 && ALL_PARTS.matcher(text).matches())
                .map(text -> sum(PART.matcher(text)))
                .findFirst();
    }

    private static Duration seconds(double seconds) {
        return Duration.ofMillis((long) Math.ceil(Math.min(seconds, 1e9) * 1000));
    }
}
