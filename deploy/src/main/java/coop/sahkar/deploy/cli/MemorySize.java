package coop.sahkar.deploy.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * An amount of memory.
 *
 * @param bytes positive
 */
record MemorySize(long bytes) {
    private static final double MOST_BYTES = 1L << 50;

    private static final Pattern FORM =
            Pattern.compile(
                    "(\\d{1,15}(?:\\.\\d{1,3})?)\\s*([KMGT]?)(?:i?B)?", Pattern.CASE_INSENSITIVE);

    /** Bytes that may also be {@code 0}. */
    static final class OrNone implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            return text.strip().equals("0") ? 0 : new Converter().convert(text).bytes();
        }
    }

    /** Reads {@code 8G}, {@code 512M}, {@code 1.5GiB} or plain bytes. */
    static final class Converter implements ITypeConverter<MemorySize> {
        @Override
        public MemorySize convert(String text) {
            Matcher form = FORM.matcher(text.strip());
            if (!form.matches()) {
                throw new TypeConversionException(
                        "'" + text + "' is not an amount of memory such as 8G or 512M");
            }
            int shift =
                    switch (form.group(2).toUpperCase(Locale.ROOT)) {
                        case "K" -> 10;
                        case "M" -> 20;
                        case "G" -> 30;
                        case "T" -> 40;
                        default -> 0;
                    };
            double bytes = Double.parseDouble(form.group(1)) * (1L << shift);
            if (bytes < 1 || bytes > MOST_BYTES) {
                throw new TypeConversionException(
                        "'" + text + "' is not from a byte to a million gigabytes");
            }
            return new MemorySize((long) bytes);
        }
    }
}
