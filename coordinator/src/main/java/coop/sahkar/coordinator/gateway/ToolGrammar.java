package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.CallSyntax;
import coop.sahkar.proto.Grammar;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A grammar for calls of functions, whose arguments follow the functions' schemas. How the model
 * writes calls it leaves to {@link CallSyntax}, whose rules the head adds.
 */
final class ToolGrammar {
    private static final String ROOT = "root ::= ";

    private final Set<String> rules = new LinkedHashSet<>();

    private ToolGrammar() {}

    /**
     * A grammar for calls, or for calls and other text.
     *
     * @param form grammar of the other text; empty: an answer must be a call
     * @throws RefusedRequest naming what cannot be had
     */
    static String of(List<ToolReader.Tool> tools, boolean parallel, String form) {
        ToolGrammar made = new ToolGrammar();
        made.add(ROOT + (form.isEmpty() ? "calls" : "calls | form"));
        made.addCalls(tools, parallel);
        if (!form.isEmpty()) {
            made.include(form, "form");
        }
        return made.text();
    }

    /**
     * A grammar for any text, in which a call is one as soon as it begins. Functions that make too
     * large a grammar are called in whatever way the model likes.
     *
     * @return empty for none
     * @throws RefusedRequest naming what cannot be had
     */
    static String free(List<ToolReader.Tool> tools, boolean parallel) {
        ToolGrammar made = new ToolGrammar();
        made.add(ROOT + (parallel ? CallSyntax.FREE : CallSyntax.FREE_ONE));
        made.addCalls(tools, true);
        List<String> rests = new ArrayList<>();
        for (int i = 0; i < tools.size(); i++) {
            rests.add("rest-" + i);
            made.add(
                    "rest-%d ::= \": \\\"%s\\\"\" %s args-%d \"}\""
                            .formatted(i, tools.get(i).name(), CallSyntax.KEY, i));
        }
        made.add(CallSyntax.REST + " ::= " + String.join(" | ", rests));
        return made.isTooLarge() ? "" : made.written();
    }

    private void addCalls(List<ToolReader.Tool> tools, boolean parallel) {
        String more = "(%s call){0,%d} ".formatted(CallSyntax.BETWEEN, GatewayLimits.MAX_CALLS - 1);
        add(
                "calls ::= %s call %s%s"
                        .formatted(CallSyntax.OPEN, parallel ? more : "", CallSyntax.CLOSE));
        List<String> names = new ArrayList<>();
        for (int i = 0; i < tools.size(); i++) {
            names.add("call-" + i);
        }
        add(
                "call ::= %s (%s) %s"
                        .formatted(CallSyntax.BEGIN, String.join(" | ", names), CallSyntax.END));
        for (int i = 0; i < tools.size(); i++) {
            ToolReader.Tool tool = tools.get(i);
            add(
                    "%s ::= \"{\\\"name\\\": \\\"%s\\\"\" %s args-%d \"}\""
                            .formatted(names.get(i), tool.name(), CallSyntax.KEY, i));
            include(arguments(tool, "t" + i + "-"), "args-" + i);
        }
    }

    /** A schema that no grammar holds to is refused only where it must be followed. */
    private static String arguments(ToolReader.Tool tool, String prefix) {
        if (tool.parameters() == null) {
            return ROOT + "\"{}\"";
        }
        try {
            return SchemaGrammar.of(tool.parameters(), tool.at() + ".parameters", prefix);
        } catch (RefusedRequest refused) {
            if (tool.strict()) {
                throw refused;
            }
            return SchemaGrammar.anyObject();
        }
    }

    /** Takes another grammar in, its root under a name; rules that both have are the same. */
    private void include(String grammar, String name) {
        for (String rule : grammar.split("\n", -1)) {
            add(rule.startsWith(ROOT) ? name + " ::= " + rule.substring(ROOT.length()) : rule);
        }
    }

    private void add(String rule) {
        if (!rule.isBlank()) {
            rules.add(rule);
        }
    }

    private String text() {
        if (isTooLarge()) {
            throw new RefusedRequest(
                    "tools", "tools make too large a grammar; offer fewer or simpler functions.");
        }
        return written();
    }

    private boolean isTooLarge() {
        for (CallSyntax syntax : CallSyntax.values()) {
            if (Grammar.fault(syntax.complete(written())).isPresent()) {
                return true;
            }
        }
        return false;
    }

    private String written() {
        return String.join("\n", rules) + "\n";
    }
}
