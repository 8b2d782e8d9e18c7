package coop.sahkar.deploy.terminal;

import coop.sahkar.proto.Span;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Amounts in the words people use. */
public final class Amounts {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Amounts() {}

    /** For example {@code 4.0 MiB}. */
    public static String bytes(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
    }

    /** Blocks as people count them, for example {@code 0-3, 6}; "none" when there are none. */
    public static String blocks(List<Span> spans) {
        return spans.isEmpty()
                ? "none"
                : spans.stream().map(Amounts::blocks).collect(Collectors.joining(", "));
    }

    /** For example {@code 0-3}, or {@code 6} for one block. */
    public static String blocks(Span span) {
        return span.length() == 1
                ? String.valueOf(span.first())
                : span.first() + "-" + (span.end() - 1);
    }

    /** For example {@code 2026-05-01T12:00:00Z}, from Unix time. */
    public static String moment(long unixMillis) {
        return Instant.ofEpochMilli(unixMillis).truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** For example {@code 3 s}, {@code 5 min}, {@code 2 h}. */
    public static String ago(long millis) {
        long seconds = millis / 1000;
        if (seconds < 120) {
            return seconds + " s";
        }
        return seconds < 7200 ? seconds / 60 + " min" : seconds / 3600 + " h";
    }
}
