package coop.sahkar.deploy.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A span of time.
 *
 * @param millis 0 or more
 */
record TimeSpan(long millis) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,6})\\s*([smhd])");

    /** Reads {@code 30s}, {@code 10m}, {@code 12h} or {@code 7d}. */
    static final class Converter implements ITypeConverter<TimeSpan> {
        @Override
        public TimeSpan convert(String text) {
            Matcher form = FORM.matcher(text.strip());
            if (!form.matches()) {
                throw new TypeConversionException(
                        "'" + text + "' is not a span of time such as 30s, 10m, 12h or 7d");
            }
            long seconds =
                    switch (form.group(2)) {
                        case "s" -> 1;
                        case "m" -> 60;
                        case "h" -> 60 * 60;
                        default -> 24 * 60 * 60;
                    };
            return new TimeSpan(Long.parseLong(form.group(1)) * seconds * 1_000);
        }
    }
}
