package coop.sahkar.proto;

/**
 * Rules for text in which calls may stand: the text is whatever the model wants, until what it
 * writes begins a call; then it is held to the call's form. They read along like an automaton, one
 * rule for each state, so a token that is part text, part call is judged rightly.
 */
final class FreeCalls {
    private static final String BLANKS = " \\t\\r\\n";
    private static final String NAME = "{\\\"name\\\"";
    private static final int MOST_MORE_CALLS = 7;

    private final StringBuilder rules = new StringBuilder();

    private FreeCalls() {}

    /**
     * The rules.
     *
     * @param root name of the first
     * @param many whether several calls may follow each other
     */
    static String rules(CallSyntax syntax, String root, boolean many) {
        FreeCalls free = new FreeCalls();
        switch (syntax) {
            case TAGGED -> free.tagged(root, many);
            case LISTED -> free.listed(root, many);
            case BARE -> free.bare(root, many);
        }
        return free.rules.toString();
    }

    /** A call may begin anywhere. */
    private void tagged(String root, boolean many) {
        String tag = "<tool_call>";
        rule(root, "free-0");
        for (int i = 0; i < tag.length(); i++) {
            String next = i + 1 < tag.length() ? "free-" + (i + 1) : "free-call";
            String on = i == 0 ? "" : literal(tag.charAt(0)) + " free-1 | ";
            String other = i == 0 ? "[^<]" : "[^<" + inClass(tag.charAt(i)) + "]";
            rule(
                    "free-" + i,
                    "\"\" | %s%s %s | %s free-0"
                            .formatted(on, literal(tag.charAt(i)), next, other));
        }
        rule(
                "free-call",
                "\"\\n\"? \"%s\" %s %s%s"
                        .formatted(NAME, CallSyntax.REST, CallSyntax.END, many ? " free-0" : ""));
    }

    /** Calls are a list at the beginning, or there is none. */
    private void listed(String root, boolean many) {
        rule(root, "free-start");
        rule(
                "free-start",
                "\"\" | [%s] free-start | \"[\" free-opened | [^%s[] free-text"
                        .formatted(BLANKS, BLANKS));
        rule(
                "free-opened",
                "\"\" | [%s] free-list | \"{\" free-key | \"T\" free-mark-0 | [^%s{T] free-text"
                        .formatted(BLANKS, BLANKS));
        state("free-list", '{', "free-key");
        word("free-mark-", "OOL_CALLS]", "free-marked");
        rule("free-marked", "\" \"? \"[%s\" free-calls".formatted(NAME));
        key();
        String more = many ? more() : "";
        rule("free-calls", CallSyntax.REST + more + " " + CallSyntax.CLOSE);
    }

    /** The calls are the whole answer, or there is none. */
    private void bare(String root, boolean many) {
        rule(root, "free-start");
        rule(
                "free-start",
                "\"\" | [%s] free-start | \"{\" free-key | \"<\" free-mark-0 | [^%s{<] free-text"
                        .formatted(BLANKS, BLANKS));
        word("free-mark-", "|python_tag|>", "free-marked");
        state("free-marked", '{', "free-key");
        key();
        rule("free-calls", CallSyntax.REST + (many ? more() : ""));
    }

    private static String more() {
        return " (%s call){0,%d}".formatted(CallSyntax.BETWEEN, MOST_MORE_CALLS);
    }

    /** Behind the brace of what may be a call; text of any kind ends up in {@code free-text}. */
    private void key() {
        state("free-key", '"', "free-name-0");
        word("free-name-", "name\"", "free-calls");
        rule("free-text", "\"\" | . free-text");
    }

    /** Blanks, then one character that leads on. */
    private void state(String name, char expected, String next) {
        rule(
                name,
                "\"\" | [%s] %s | %s %s | [^%s%s] free-text"
                        .formatted(
                                BLANKS, name, literal(expected), next, BLANKS, inClass(expected)));
    }

    /** One character after the other. */
    private void word(String name, String expected, String next) {
        for (int i = 0; i < expected.length(); i++) {
            char one = expected.charAt(i);
            String on = i + 1 < expected.length() ? name + (i + 1) : next;
            rule(
                    name + i,
                    "\"\" | %s %s | [^%s] free-text".formatted(literal(one), on, inClass(one)));
        }
    }

    private static String literal(char one) {
        return one == '"' ? "\"\\\"\"" : "\"" + one + "\"";
    }

    private static String inClass(char one) {
        return one == ']' ? "\\]" : String.valueOf(one);
    }

    private void rule(String name, String body) {
        rules.append(name).append(" ::= ").append(body).append('\n');
    }
}
