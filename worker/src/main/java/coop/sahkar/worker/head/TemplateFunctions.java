package coop.sahkar.worker.head;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import java.io.Serial;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What templates may call besides Jinja's own: what those that train models put in. */
final class TemplateFunctions {
    /** The variable in which a rendering keeps its time. */
    static final String NOW = "sahkar_now";

    private TemplateFunctions() {}

    /** The template itself refuses the conversation. */
    static final class Raised extends RuntimeException {
        @Serial private static final long serialVersionUID = 1L;

        Raised(String message) {
            super(message);
        }
    }

    static List<ELFunctionDefinition> all() {
        return List.of(
                new ELFunctionDefinition(
                        "", "raise_exception", TemplateFunctions.class, "raise", Object.class),
                new ELFunctionDefinition(
                        "", "strftime_now", TemplateFunctions.class, "strftimeNow", String.class));
    }

    /** Called by templates. */
    @SuppressWarnings("DoNotCallSuggester") // not by us
    public static Object raise(@Nullable Object message) {
        throw new Raised(String.valueOf(message));
    }

    /** Called by templates: the time of the rendering in a format of C's strftime. */
    public static String strftimeNow(String format) {
        Object now = JinjavaInterpreter.getCurrent().getContext().get(NOW);
        if (!(now instanceof LocalDateTime time)) {
            throw new IllegalStateException("a rendering without a time");
        }
        StringBuilder result = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c == '%' && i + 1 < format.length()) {
                result.append(field(time, format.charAt(++i)));
            } else {
                result.append(c);
            }
        }
        return result.toString();
    }

    private static String field(LocalDateTime time, char field) {
        String pattern =
                switch (field) {
                    case 'Y' -> "yyyy";
                    case 'y' -> "yy";
                    case 'm' -> "MM";
                    case 'B' -> "MMMM";
                    case 'b' -> "MMM";
                    case 'd' -> "dd";
                    case 'A' -> "EEEE";
                    case 'a' -> "EEE";
                    case 'H' -> "HH";
                    case 'I' -> "hh";
                    case 'M' -> "mm";
                    case 'S' -> "ss";
                    case 'p' -> "a";
                    case 'j' -> "DDD";
                    case '%' -> "'%'";
                    default ->
                            throw new IllegalArgumentException(
                                    "strftime_now does not know %" + field);
                };
        return time.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH));
    }

    /** {@code tojson}, spaced as Python's json.dumps does, which models have seen in training. */
    static final class ToJson implements Filter {
        private static final int MAX_DEPTH = 32;

        @Override
        public String getName() {
            return "tojson";
        }

        @Override
        public Object filter(
                @Nullable Object value, JinjavaInterpreter interpreter, String... args) {
            return json(value, 0);
        }

        /** A value as text. */
        static String of(Object value) {
            return json(value, 0);
        }

        private static String json(@Nullable Object value, int depth) {
            if (depth > MAX_DEPTH) {
                throw new IllegalArgumentException("tojson: nested too deeply");
            }
            return switch (value) {
                case null -> "null";
                case Boolean b -> b.toString();
                case Number n -> n.toString();
                case Map<?, ?> map ->
                        map.entrySet().stream()
                                .map(e ->
                                        quoted(Objects.toString(e.getKey()))
                                                + ": "
                                                + json(e.getValue(), depth + 1))
                                .collect(Collectors.joining(", ", "{", "}"));
                case List<?> list ->
                        list.stream()
                                .map(each -> json(each, depth + 1))
                                .collect(Collectors.joining(", ", "[", "]"));
                default -> quoted(value.toString());
            };
        }

        private static String quoted(String text) {
            StringBuilder result = new StringBuilder(text.length() + 2).append('"');
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                switch (c) {
                    case '"' -> result.append("\\\"");
                    case '\\' -> result.append("\\\\");
                    case '\n' -> result.append("\\n");
                    case '\r' -> result.append("\\r");
                    case '\t' -> result.append("\\t");
                    default -> {
                        if (c < ' ') {
                            result.append("\\u%04x".formatted((int) c));
                        } else {
                            result.append(c);
                        }
                    }
                }
            }
            return result.append('"').toString();
        }
    }
}
