package coop.sahkar.worker.head;

import java.io.Serial;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Brings a template written for Jinja2, as it is set up where models come from, into the form that
 * Jinjava reads in the same way. Jinjava binds {@code not} tighter than comparisons, leaves the
 * blanks around comments, reads no {@code [::-1]} and skips filters and tests that it does not
 * know; a template that would still be misread is refused.
 */
final class JinjaSource {
    private static final Pattern PART =
            Pattern.compile(
                    "\\{#(?s:.*?)#\\}|\\{[{%](?:'(?:\\\\.|[^'\\\\])*'|\"(?:\\\\.|[^\"\\\\])*\"|[^'\"])*?[}%]\\}",
                    Pattern.DOTALL);
    private static final Pattern TOKEN =
            Pattern.compile(
                    "'(?:\\\\.|[^'\\\\])*'|\"(?:\\\\.|[^\"\\\\])*\"|[A-Za-z_]\\w*|\\d[\\d.]*|\\s+|[=!<>]=|.",
                    Pattern.DOTALL);
    private static final Set<String> ENDS_OPERAND =
            Set.of("and", "or", "if", "else", ",", ":", ")", "]", "}", "%}", "}}");
    private static final Set<String> OPENS = Set.of("(", "[", "{");
    private static final Set<String> CLOSES = Set.of(")", "]", "}");

    private final Predicate<String> knownFilter;
    private final Predicate<String> knownTest;
    private final Deque<String> blocks = new ArrayDeque<>();
    private final StringBuilder out = new StringBuilder();

    /** A template that cannot be read faithfully; the message says why. */
    static final class Unreadable extends Exception {
        @Serial private static final long serialVersionUID = 1L;

        Unreadable(String message) {
            super(message);
        }
    }

    private JinjaSource(Predicate<String> knownFilter, Predicate<String> knownTest) {
        this.knownFilter = knownFilter;
        this.knownTest = knownTest;
    }

    /** The template in Jinjava's form. */
    static String prepare(
            String template, Predicate<String> knownFilter, Predicate<String> knownTest)
            throws Unreadable {
        String source = template.replace("\r\n", "\n");
        if (source.endsWith("\n")) {
            source = source.substring(0, source.length() - 1); // as Jinja2 does
        }
        return new JinjaSource(knownFilter, knownTest).rewrite(source);
    }

    private String rewrite(String source) throws Unreadable {
        Matcher part = PART.matcher(source);
        int at = 0;
        while (part.find(at)) {
            out.append(source, at, part.start());
            at = part.end();
            String text = part.group();
            if (text.startsWith("{#")) {
                at = comment(text, source, at);
            } else {
                out.append(code(text));
            }
        }
        return out.append(source.substring(at)).toString();
    }

    /** Drops a comment and the blanks that go with it; returns where the text goes on. */
    private int comment(String text, String source, int end) {
        boolean stripBefore = text.startsWith("{#-");
        int keep = out.length();
        while (keep > 0 && isBlank(out.charAt(keep - 1), stripBefore)) {
            keep--;
        }
        if (stripBefore || keep == 0 || out.charAt(keep - 1) == '\n') {
            out.setLength(keep);
        }
        int next = end;
        if (text.endsWith("-#}")) {
            while (next < source.length() && Character.isWhitespace(source.charAt(next))) {
                next++;
            }
        } else if (next < source.length() && source.charAt(next) == '\n') {
            next++;
        }
        return next;
    }

    private static boolean isBlank(char c, boolean newlinesToo) {
        return newlinesToo ? Character.isWhitespace(c) : c == ' ' || c == '\t';
    }

    private String code(String text) throws Unreadable {
        List<String> tokens = new ArrayList<>();
        String body = text.substring(2, text.length() - 2);
        Matcher token = TOKEN.matcher(body);
        while (token.find()) {
            tokens.add(token.group());
        }
        if (text.startsWith("{%")) {
            tag(tokens);
        }
        checkNames(tokens);
        bracketNegations(tokens);
        String open = text.substring(0, 2);
        String close = text.substring(text.length() - 2);
        return open + reversals(String.join("", tokens)) + close;
    }

    private void tag(List<String> tokens) throws Unreadable {
        int first = nextWord(tokens, 0);
        if (first < 0) {
            return;
        }
        switch (tokens.get(first)) {
            // Marks what a trainer learns from; nothing to a reader.
            case "generation" -> tokens.set(first, "if true");
            case "endgeneration" -> tokens.set(first, "endif");
            case "for" -> {
                if (tokens.contains("if") && depthOf(tokens, "if") == 0) {
                    throw new Unreadable("it filters a loop ('for … if …')");
                }
                blocks.push("for");
            }
            case "if" -> blocks.push("if");
            case "else" -> {
                if ("for".equals(blocks.peek())) {
                    throw new Unreadable("it has a loop with an 'else'");
                }
            }
            case "endfor", "endif" -> blocks.poll();
            case "include", "import", "from", "extends" ->
                    throw new Unreadable("it wants another file ('" + tokens.get(first) + "')");
            default -> {}
        }
    }

    private static int depthOf(List<String> tokens, String word) {
        int depth = 0;
        for (String token : tokens) {
            if (token.equals(word)) {
                return depth;
            }
            depth += OPENS.contains(token) ? 1 : CLOSES.contains(token) ? -1 : 0;
        }
        return depth;
    }

    /** Jinjava passes over names that it does not know; the text would be silently wrong. */
    private void checkNames(List<String> tokens) throws Unreadable {
        for (int i = 0; i < tokens.size(); i++) {
            int name = nextWord(tokens, i + 1);
            if (name < 0) {
                return;
            }
            String word = tokens.get(name);
            if (tokens.get(i).equals("|") && !knownFilter.test(word)) {
                throw new Unreadable("it uses the filter '" + word + "'");
            }
            if (tokens.get(i).equals("is")) {
                int test = word.equals("not") ? nextWord(tokens, name + 1) : name;
                if (test >= 0 && !knownTest.test(tokens.get(test))) {
                    throw new Unreadable("it uses the test '" + tokens.get(test) + "'");
                }
            }
        }
    }

    /** {@code not a == b} becomes {@code not (a == b)}. */
    private static void bracketNegations(List<String> tokens) {
        for (int i = tokens.size() - 1; i >= 0; i--) {
            if (!tokens.get(i).equals("not") || isPartOfOperator(tokens, i)) {
                continue;
            }
            int end = operandEnd(tokens, i + 1);
            tokens.add(end, ") ");
            tokens.add(i + 1, " (");
        }
    }

    private static boolean isPartOfOperator(List<String> tokens, int at) {
        int next = nextWord(tokens, at + 1);
        int before = at - 1;
        while (before >= 0 && tokens.get(before).isBlank()) {
            before--;
        }
        return (next >= 0 && tokens.get(next).equals("in"))
                || (before >= 0 && tokens.get(before).equals("is"));
    }

    private static int operandEnd(List<String> tokens, int from) {
        int depth = 0;
        for (int i = from; i < tokens.size(); i++) {
            String token = tokens.get(i);
            if (depth == 0 && (ENDS_OPERAND.contains(token) || isClosingDash(tokens, i))) {
                return i;
            }
            // A bracket put in for an inner negation has a blank beside it.
            String bare = token.strip();
            depth += OPENS.contains(bare) ? 1 : CLOSES.contains(bare) ? -1 : 0;
        }
        return tokens.size();
    }

    private static boolean isClosingDash(List<String> tokens, int at) {
        return at == tokens.size() - 1 && tokens.get(at).equals("-");
    }

    private static int nextWord(List<String> tokens, int from) {
        for (int i = from; i < tokens.size(); i++) {
            String token = tokens.get(i);
            if (!token.isBlank() && !token.equals("-") && !token.equals("+")) {
                return i;
            }
        }
        return -1;
    }

    private static String reversals(String code) throws Unreadable {
        int at = code.indexOf("[::-1]");
        if (at < 0) {
            return code;
        }
        String rest = code.substring(at + "[::-1]".length());
        if (rest.startsWith("[") || rest.startsWith(".")) {
            throw new Unreadable("it picks from a reversed list");
        }
        return code.substring(0, at) + "|reverse|list" + reversals(rest);
    }
}
