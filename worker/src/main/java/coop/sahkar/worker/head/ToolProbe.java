package coop.sahkar.worker.head;

import coop.sahkar.proto.CallSyntax;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether a chat template knows functions, and how its model writes calls: it renders a
 * small conversation with a call and looks for everything in what comes out.
 */
final class ToolProbe {
    private static final Tool TOOL =
            new Tool(
                    "probe_tool",
                    "probe-of-description",
                    "{\"type\":\"object\",\"properties\":{\"probe_key\":{\"type\":\"string\"}}}");
    private static final List<ChatTurn> TURNS =
            List.of(
                    new ChatTurn("user", "probe-of-user"),
                    new ChatTurn(
                            "assistant",
                            "",
                            List.of(
                                    new ChatTurn.Call(
                                            "probe",
                                            "probe_tool",
                                            "{\"probe_key\":\"probe-of-value\"}")),
                            ""),
                    new ChatTurn("tool", "probe-of-result", List.of(), "probe"));

    private static final String NAME = "\\{\\s*\"name\"\\s*:\\s*\"probe_tool\"\\s*,\\s*";
    private static final String VALUE =
            "\\s*:\\s*\\{\\s*\"probe_key\"\\s*:\\s*\"probe-of-value\"\\s*\\}";

    /** What a call looks like; the first that is found counts. */
    private static final Map<CallSyntax, Pattern> CALLS =
            new EnumMap<>(
                    Map.of(
                            CallSyntax.TAGGED,
                            Pattern.compile("<tool_call>\\s*" + NAME + "\"arguments\"" + VALUE),
                            CallSyntax.LISTED,
                            Pattern.compile(
                                    "\\[TOOL_CALLS\\]\\s*\\[\\s*" + NAME + "\"arguments\"" + VALUE),
                            CallSyntax.BARE,
                            Pattern.compile(NAME + "\"parameters\"" + VALUE)));

    private ToolProbe() {}

    /** How calls are written; null if the template knows none, or in a way we do not. */
    static @Nullable CallSyntax syntax(ChatTemplate template) {
        if (!(template.renderAsIs(TURNS, List.of(TOOL), true, ChatTemplate.PROBE_TIME)
                instanceof ChatTemplate.Rendered(String text, _))) {
            return null;
        }
        boolean whole = text.contains("probe-of-result") && text.contains("probe-of-description");
        return CALLS.entrySet().stream()
                .filter(way -> whole && way.getValue().matcher(text).find())
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(null);
    }
}
