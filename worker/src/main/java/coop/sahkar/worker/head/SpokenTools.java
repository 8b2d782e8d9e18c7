package coop.sahkar.worker.head;

import java.util.ArrayList;
import java.util.List;

/**
 * Functions in plain words, for models whose chat template knows none: what there is stands in the
 * system's message, calls in the assistant's, and what they returned in the user's. Calls are
 * written as in {@link coop.sahkar.proto.CallSyntax#TAGGED}.
 */
final class SpokenTools {
    private SpokenTools() {}

    /** The conversation without calls and functions, but with the same said. */
    static List<ChatTurn> spoken(List<ChatTurn> turns, List<Tool> tools) {
        List<ChatTurn> spoken = new ArrayList<>();
        boolean systemFirst = turns.getFirst().role().equals("system");
        if (!tools.isEmpty() && !systemFirst) {
            spoken.add(new ChatTurn("system", offer(tools)));
        }
        for (int i = 0; i < turns.size(); i++) {
            ChatTurn turn = turns.get(i);
            if (i == 0 && systemFirst && !tools.isEmpty()) {
                spoken.add(new ChatTurn("system", turn.content() + "\n\n" + offer(tools)));
            } else if (!turn.calls().isEmpty()) {
                spoken.add(new ChatTurn("assistant", called(turn)));
            } else if (turn.role().equals("tool")) {
                addReturned(spoken, turn, i > 0 && turns.get(i - 1).role().equals("tool"));
            } else {
                spoken.add(turn);
            }
        }
        return spoken;
    }

    private static String offer(List<Tool> tools) {
        StringBuilder text = new StringBuilder("You may call functions:\n");
        for (Tool tool : tools) {
            text.append(TemplateFunctions.ToJson.of(TemplateValues.function(tool))).append('\n');
        }
        return text.append(
                        "To call one, write:\n<tool_call>\n{\"name\": NAME, \"arguments\": {}}\n")
                .append("</tool_call>")
                .toString();
    }

    private static String called(ChatTurn turn) {
        StringBuilder text = new StringBuilder(turn.content());
        for (ChatTurn.Call call : turn.calls()) {
            text.append(text.isEmpty() ? "" : "\n")
                    .append("<tool_call>\n{\"name\": \"")
                    .append(call.name())
                    .append("\", \"arguments\": ")
                    .append(call.arguments())
                    .append("}\n</tool_call>");
        }
        return text.toString();
    }

    /** Answers to several calls make one message: many templates want the roles to take turns. */
    private static void addReturned(List<ChatTurn> spoken, ChatTurn turn, boolean joined) {
        String text = "<tool_response>\n" + turn.content() + "\n</tool_response>";
        if (joined) {
            text = spoken.removeLast().content() + "\n" + text;
        }
        spoken.add(new ChatTurn("user", text));
    }
}
