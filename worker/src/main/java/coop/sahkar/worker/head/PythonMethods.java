package coop.sahkar.worker.head;

import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;
import jinjava.javax.el.CompositeELResolver;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;
import jinjava.javax.el.MethodNotFoundException;
import org.jspecify.annotations.NullUnmarked;

/** The methods that text has in templates: Python's, and no other. */
@NullUnmarked // the resolver's contract is all nulls
final class PythonMethods extends CompositeELResolver {

    PythonMethods() {
        add(new Text());
        add(JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY);
    }

    private static final Pattern INDEX = Pattern.compile("-?\\d{1,9}");

    private static final class Text extends ELResolver {
        @Override
        public Object invoke(
                ELContext context,
                Object base,
                Object method,
                Class<?>[] types,
                Object[] arguments) {
            if (!(base instanceof CharSequence) || method == null) {
                return null;
            }
            context.setPropertyResolved(true);
            List<String> texts =
                    Arrays.stream(arguments == null ? new Object[0] : arguments)
                            .map(String::valueOf)
                            .toList();
            return call(base.toString(), method.toString(), texts);
        }

        @Override
        public Object getValue(ELContext context, Object base, Object property) {
            String index = String.valueOf(property);
            if (!(base instanceof CharSequence text) || !INDEX.matcher(index).matches()) {
                return null;
            }
            context.setPropertyResolved(true);
            int number = Integer.parseInt(index);
            int at = number < 0 ? text.length() + number : number;
            return at < 0 || at >= text.length() ? null : String.valueOf(text.charAt(at));
        }

        @Override
        public Class<?> getType(ELContext context, Object base, Object property) {
            return null;
        }

        @Override
        public void setValue(ELContext context, Object base, Object property, Object value) {}

        @Override
        public boolean isReadOnly(ELContext context, Object base, Object property) {
            return true;
        }

        @Override
        public java.util.Iterator<java.beans.FeatureDescriptor> getFeatureDescriptors(
                ELContext context, Object base) {
            return null;
        }

        @Override
        public Class<?> getCommonPropertyType(ELContext context, Object base) {
            return null;
        }
    }

    private static Object call(String text, String method, List<String> args) {
        return switch (method + "/" + args.size()) {
            case "strip/0" -> strip(text, Character::isWhitespace, true, true);
            case "lstrip/0" -> strip(text, Character::isWhitespace, true, false);
            case "rstrip/0" -> strip(text, Character::isWhitespace, false, true);
            case "strip/1" -> strip(text, c -> args.get(0).indexOf(c) >= 0, true, true);
            case "lstrip/1" -> strip(text, c -> args.get(0).indexOf(c) >= 0, true, false);
            case "rstrip/1" -> strip(text, c -> args.get(0).indexOf(c) >= 0, false, true);
            case "startswith/1" -> text.startsWith(args.get(0));
            case "endswith/1" -> text.endsWith(args.get(0));
            case "upper/0" -> text.toUpperCase(Locale.ROOT);
            case "lower/0" -> text.toLowerCase(Locale.ROOT);
            case "title/0" -> title(text);
            case "capitalize/0" -> capitalized(text);
            case "replace/2" -> text.replace(args.get(0), args.get(1));
            case "find/1" -> (long) text.indexOf(args.get(0));
            case "split/0" -> text.isBlank() ? List.of() : List.of(text.strip().split("\\s+", -1));
            case "split/1" -> split(text, args.get(0), Integer.MAX_VALUE);
            case "split/2" -> split(text, args.get(0), Integer.parseInt(args.get(1)));
            case "removeprefix/1" ->
                    text.startsWith(args.get(0)) ? text.substring(args.get(0).length()) : text;
            default ->
                    throw new MethodNotFoundException(
                            "text has no method '%s' with %d arguments here"
                                    .formatted(method, args.size()));
        };
    }

    private static String strip(String text, IntPredicate drop, boolean left, boolean right) {
        int from = 0;
        int to = text.length();
        while (left && from < to && drop.test(text.charAt(from))) {
            from++;
        }
        while (right && to > from && drop.test(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    private static List<String> split(String text, String separator, int most) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        int at = separator.isEmpty() ? -1 : text.indexOf(separator);
        while (at >= 0 && parts.size() < most) {
            parts.add(text.substring(from, at));
            from = at + separator.length();
            at = text.indexOf(separator, from);
        }
        parts.add(text.substring(from));
        return parts;
    }

    private static String capitalized(String text) {
        return text.isEmpty()
                ? text
                : text.substring(0, 1).toUpperCase(Locale.ROOT)
                        + text.substring(1).toLowerCase(Locale.ROOT);
    }

    private static String title(String text) {
        StringBuilder result = new StringBuilder(text.length());
        boolean begins = true;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            result.append(begins ? Character.toUpperCase(c) : Character.toLowerCase(c));
            begins = !Character.isLetter(c);
        }
        return result.toString();
    }
}
