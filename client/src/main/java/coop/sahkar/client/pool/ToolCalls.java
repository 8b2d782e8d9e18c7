package coop.sahkar.client.pool;

import coop.sahkar.client.Tool;
import coop.sahkar.client.ToolCall;
import coop.sahkar.proto.CallReader;
import coop.sahkar.proto.CallRules;
import coop.sahkar.proto.CalledFunctions;
import coop.sahkar.proto.v1.Started;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Tells the calls in a pool's answer from its text. Owned by the answer's reader. */
final class ToolCalls {
    private final Set<String> names;
    private final CalledFunctions called = new CalledFunctions();
    private @Nullable CallReader reader;
    private String request = "";

    ToolCalls(List<Tool> offered) {
        names = offered.stream().map(Tool::name).collect(Collectors.toUnmodifiableSet());
    }

    /** It is known how the model writes calls; another coordinator may say it once more. */
    void started(Started started) {
        if (reader == null && !names.isEmpty()) {
            reader = new CallRules(names, true).reader(started);
            request = started.getRequestId();
        }
    }

    /** More of the answer; what of it is text to show. */
    String read(String more) {
        return reader == null ? more : take(reader.read(more));
    }

    /** The answer is complete; what of the rest is text to show. */
    String end() {
        return reader == null ? "" : take(reader.end());
    }

    private String take(List<CallReader.Part> parts) {
        StringBuilder shown = new StringBuilder();
        for (CallReader.Part part : parts) {
            if (part instanceof CallReader.Part.Text(String text)) {
                shown.append(text);
            } else {
                called.add(part);
            }
        }
        return shown.toString();
    }

    /** The calls so far. */
    List<ToolCall> complete() {
        List<ToolCall> calls = new ArrayList<>();
        for (int i = 0; i < called.count(); i++) {
            calls.add(
                    new ToolCall(
                            "call_%s_%d".formatted(request, i),
                            called.name(i),
                            called.arguments(i)));
        }
        return calls;
    }
}
