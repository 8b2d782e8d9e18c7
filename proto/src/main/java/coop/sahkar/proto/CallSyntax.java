package coop.sahkar.proto;

import coop.sahkar.proto.v1.CallSyntaxMessage;
import java.util.Optional;

/**
 * How a model writes that it calls functions. The head knows it from the model's chat template; a
 * grammar made by the gateway leaves it open by naming these rules, and the head adds them.
 */
public enum CallSyntax {
    /**
     * Each call between tags, as Hermes and Qwen do; also for models that know no way of theirs.
     */
    TAGGED("", "", "\"\\n\"", "\"<tool_call>\\n\"", "\"\\n</tool_call>\"", "arguments"),
    /** A list behind a control token, as Mistral does. */
    LISTED("\"[TOOL_CALLS] [\"", "\"]\"", "\", \"", "", "", "arguments"),
    /** The call is the whole answer, as with Llama 3. */
    BARE("", "", "\"; \"", "", "", "parameters");

    /** The rule that stands before all calls. */
    public static final String OPEN = "calls-open";

    /** The rule behind all calls. */
    public static final String CLOSE = "calls-close";

    /** The rule between two calls. */
    public static final String BETWEEN = "calls-between";

    /** The rule before one call. */
    public static final String BEGIN = "call-begin";

    /** The rule behind one call. */
    public static final String END = "call-end";

    /** The rule for what stands between a function's name and its arguments. */
    public static final String KEY = "call-key";

    /** The rule for text in which calls may stand, which the head adds where it is named. */
    public static final String FREE = "calls-free";

    /** The same for one call at most, behind which nothing follows. */
    public static final String FREE_ONE = "call-free";

    /** The gateway's rule for what stands in a call behind <code>{"name"</code>. */
    public static final String REST = "call-rest";

    private final String open;
    private final String close;
    private final String between;
    private final String begin;
    private final String end;
    private final String key;

    CallSyntax(String open, String close, String between, String begin, String end, String key) {
        this.open = open;
        this.close = close;
        this.between = between;
        this.begin = begin;
        this.end = end;
        this.key = key;
    }

    /** A grammar that leaves open how calls are written, with the rules it lacks. */
    public String complete(String grammar) {
        String whole = grammar + rules();
        if (grammar.startsWith("root ::= " + FREE + "\n")) {
            return whole + FreeCalls.rules(this, FREE, true);
        }
        return grammar.startsWith("root ::= " + FREE_ONE + "\n")
                ? whole + FreeCalls.rules(this, FREE_ONE, false)
                : whole;
    }

    /** The rules, GBNF, one a line. */
    private String rules() {
        return rule(OPEN, open)
                + rule(CLOSE, close)
                + rule(BETWEEN, between)
                + rule(BEGIN, begin)
                + rule(END, end)
                + rule(KEY, "\", \\\"" + key + "\\\": \"");
    }

    private static String rule(String name, String body) {
        return name + " ::= " + (body.isEmpty() ? "\"\"" : body) + "\n";
    }

    public CallSyntaxMessage toWire() {
        return switch (this) {
            case TAGGED -> CallSyntaxMessage.CALL_SYNTAX_TAGGED;
            case LISTED -> CallSyntaxMessage.CALL_SYNTAX_LISTED;
            case BARE -> CallSyntaxMessage.CALL_SYNTAX_BARE;
        };
    }

    /** The syntax, or empty for none and for one that is not known here. */
    public static Optional<CallSyntax> fromWire(CallSyntaxMessage wire) {
        return switch (wire) {
            case CALL_SYNTAX_TAGGED -> Optional.of(TAGGED);
            case CALL_SYNTAX_LISTED -> Optional.of(LISTED);
            case CALL_SYNTAX_BARE -> Optional.of(BARE);
            case CALL_SYNTAX_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        };
    }
}
