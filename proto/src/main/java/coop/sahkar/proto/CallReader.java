package coop.sahkar.proto;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tells calls of functions from the text of an answer, as it comes. What only looks like a call, or
 * names a function that nobody offered, is text. Owned by whoever writes the answer.
 */
@SuppressWarnings("JdkObsolete") // hitEnd: the text is a stream
public final class CallReader {
    /** What an answer consists of. */
    public sealed interface Part {
        /** Text to show. */
        record Text(String text) implements Part {}

        /** A call of a function begins. */
        record Begun(int index, String name) implements Part {}

        /** More of its arguments. */
        record Arguments(int index, String more) implements Part {}

        /** The arguments are complete. */
        record Ended(int index) implements Part {}
    }

    private enum State {
        /** In text, in which a call may begin. */
        TEXT,
        /** Behind what opens a call, before its arguments. */
        HEADER,
        /** In the arguments. */
        ARGUMENTS,
        /** Behind the arguments, within the call. */
        REST,
        /** Behind a call. */
        BEHIND,
        /** In text in which no call can begin. */
        PLAIN,
        /** Where nothing is told any more. */
        OVER
    }

    // Blanks are bounded, so that no search takes long.
    private static final Pattern TAG = Pattern.compile("\\s{0,16}<tool_call>");
    private static final Pattern LIST =
            Pattern.compile("\\s{0,16}(?:\\[TOOL_CALLS\\])?\\s{0,16}\\[\\s{0,16}(?=\\{)");
    private static final Pattern BARE =
            Pattern.compile("\\s{0,16}(?:<\\|python_tag\\|>)?\\s{0,16}(?=\\{)");
    private static final Pattern HEADER =
            Pattern.compile(
                    "\\s{0,16}\\{\\s{0,16}\"name\"\\s{0,16}:\\s{0,16}\"([A-Za-z0-9_-]{1,64})\"\\s{0,16},"
                            + "\\s{0,16}\"(?:arguments|parameters)\"\\s{0,16}:\\s{0,16}(?=\\{)");
    private static final Pattern REST =
            Pattern.compile(
                    "\\s{0,16}(?:,\\s{0,16}\"id\"\\s{0,16}:\\s{0,16}\"[^\"]{0,64}\"\\s{0,16})?\\}");
    private static final Pattern BEHIND_TAGGED =
            Pattern.compile("\\s{0,16}(?:</tool_call>)?\\s{0,16}");
    private static final Pattern BEHIND_OTHERS = Pattern.compile("\\s{0,16}[,;\\]]?\\s{0,16}");

    private final CallSyntax syntax;
    private final CallRules rules;
    private final StringBuilder held = new StringBuilder();
    private State state = State.TEXT;
    private String opened = "";
    private int calls;
    private int depth;
    private boolean quoted;
    private boolean escaped;

    public CallReader(CallSyntax syntax, CallRules rules) {
        this.syntax = syntax;
        this.rules = rules;
    }

    /** How many calls have begun. */
    public int calls() {
        return calls;
    }

    /** The answer goes on. */
    public List<Part> read(String text) {
        held.append(text);
        return parts(false);
    }

    /** The answer is complete. */
    public List<Part> end() {
        return parts(true);
    }

    private List<Part> parts(boolean last) {
        List<Part> parts = new ArrayList<>();
        while (step(parts, last)) {
            // Each step moves on to another state.
        }
        return parts;
    }

    /** Whether there is more to do. */
    private boolean step(List<Part> parts, boolean last) {
        return switch (state) {
            case TEXT -> text(parts, last);
            case HEADER -> header(parts, last);
            case ARGUMENTS -> arguments(parts);
            case REST -> rest(last);
            case BEHIND -> behind(last);
            case PLAIN -> say(parts, held.length());
            case OVER -> {
                held.setLength(0);
                yield false;
            }
        };
    }

    private boolean text(List<Part> parts, boolean last) {
        if (syntax == CallSyntax.TAGGED) {
            return tagged(parts, last);
        }
        Matcher opening = (syntax == CallSyntax.LISTED ? LIST : BARE).matcher(held);
        if (opening.lookingAt()) {
            return open(opening.group());
        }
        return (last || !opening.hitEnd()) && enter(State.PLAIN);
    }

    private boolean tagged(List<Part> parts, boolean last) {
        Matcher opening = TAG.matcher(held);
        if (opening.find()) {
            String tag = opening.group();
            say(parts, opening.start());
            return open(tag);
        }
        int sure = 0;
        while (!last && sure < held.length()) {
            opening.region(sure, held.length());
            if (!opening.lookingAt() && opening.hitEnd()) {
                break;
            }
            sure++;
        }
        return say(parts, last ? held.length() : sure);
    }

    private boolean open(String opening) {
        opened = opening;
        held.delete(0, opening.length());
        return enter(State.HEADER);
    }

    private boolean header(List<Part> parts, boolean last) {
        Matcher header = HEADER.matcher(held);
        if (header.lookingAt() && rules.names().contains(header.group(1))) {
            parts.add(new Part.Begun(calls++, header.group(1)));
            held.delete(0, header.end());
            return enter(State.ARGUMENTS);
        }
        if (header.hitEnd() && !last) {
            return false;
        }
        parts.add(new Part.Text(opened));
        return enter(syntax == CallSyntax.TAGGED ? State.TEXT : State.PLAIN);
    }

    private boolean arguments(List<Part> parts) {
        int at = 0;
        boolean closed = false;
        while (at < held.length() && !closed) {
            closed = closes(held.charAt(at++));
        }
        if (at > 0) {
            parts.add(new Part.Arguments(calls - 1, held.substring(0, at)));
            held.delete(0, at);
        }
        if (closed) {
            parts.add(new Part.Ended(calls - 1));
            return enter(State.REST);
        }
        return false;
    }

    /** Whether a character ends the value that it stands in. */
    private boolean closes(char next) {
        if (quoted) {
            quoted = escaped || next != '"';
            escaped = !escaped && next == '\\';
            return false;
        }
        switch (next) {
            case '"' -> quoted = true;
            case '{', '[' -> depth++;
            case '}', ']' -> depth--;
            default -> {}
        }
        return depth == 0;
    }

    private boolean rest(boolean last) {
        Matcher rest = REST.matcher(held);
        if (rest.lookingAt()) {
            held.delete(0, rest.end());
        } else if (rest.hitEnd() && !last) {
            return false;
        }
        return enter(rules.parallel() ? State.BEHIND : State.OVER);
    }

    private boolean behind(boolean last) {
        boolean tags = syntax == CallSyntax.TAGGED;
        Matcher behind = (tags ? BEHIND_TAGGED : BEHIND_OTHERS).matcher(held);
        boolean found = behind.lookingAt();
        if (behind.hitEnd() && !last) {
            return false;
        }
        String between = found ? behind.group() : "";
        held.delete(0, between.length());
        if (tags) {
            return enter(State.TEXT);
        }
        boolean another = !held.isEmpty() && held.charAt(0) == '{';
        opened = between;
        return enter(another ? State.HEADER : State.PLAIN);
    }

    private boolean enter(State next) {
        state = next;
        return true;
    }

    private boolean say(List<Part> parts, int length) {
        if (length > 0) {
            parts.add(new Part.Text(held.substring(0, length)));
            held.delete(0, length);
        }
        return false;
    }
}
