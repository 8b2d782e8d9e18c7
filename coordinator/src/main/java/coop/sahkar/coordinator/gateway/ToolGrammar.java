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
        String more = "(%s call){0,%d} ".formatted(CallSyntax.BETWEEN, GatewayLimits.MAX_CALLS - 1);
        made.add(
                "calls ::= %s call %s%s"
                        .formatted(CallSyntax.OPEN, parallel ? more : "", CallSyntax.CLOSE));
        List<String> names = new ArrayList<>();
        for (int i = 0; i < tools.size(); i++) {
            names.add("call-" + i);
        }
        made.add(
                "call ::= %s (%s) %s"
                        .formatted(CallSyntax.BEGIN, String.join(" | ", names), CallSyntax.END));
        for (int i = 0; i < tools.size(); i++) {
            ToolReader.Tool tool = tools.get(i);
            made.add(
                    "%s ::= \"{\\\"name\\\": \\\"%s\\\"\" %s args-%d \"}\""
                            .formatted(names.get(i), tool.name(), CallSyntax.KEY, i));
            made.include(arguments(tool, "t" + i + "-"), "args-" + i);
        }
        if (!form.isEmpty()) {
            made.include(form, "form");
        }
        return made.text();
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
        String text = String.join("\n", rules) + "\n";
        if (Grammar.fault(text + CallSyntax.TAGGED.rules()).isPresent()) {
            throw new RefusedRequest(
                    "tools", "tools make too large a grammar; offer fewer or simpler functions.");
        }
        return text;
    }
}
