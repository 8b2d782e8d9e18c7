package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.CallReader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What an answer of {@code /v1/responses} consists of, as it grows: messages and calls of
 * functions, one after the other. Owned by whoever writes the answer.
 */
final class ResponseItems {
    /**
     * What is told of an item.
     *
     * @param type the event's name
     */
    record Event(String type, ObjectNode fields) {}

    private final String name;
    private final ArrayNode output = Json.array();
    private final StringBuilder all = new StringBuilder();
    private final ArrayNode calls = Json.array();
    private final StringBuilder grown = new StringBuilder();

    /** The last of the output, if more may come of it. */
    private @Nullable ObjectNode open;

    /**
     * @param name what the ids of items are made of
     */
    ResponseItems(String name) {
        this.name = name;
    }

    /** The answer goes on. */
    List<Event> take(List<CallReader.Part> parts) {
        List<Event> events = new ArrayList<>();
        for (CallReader.Part part : parts) {
            switch (part) {
                case CallReader.Part.Text(String text) -> text(text, events);
                case CallReader.Part.Begun(_, String function) -> begin(function, events);
                case CallReader.Part.Arguments(_, String more) -> arguments(more, events);
                case CallReader.Part.Ended _ -> close(false, events);
            }
        }
        return events;
    }

    /**
     * The answer is complete; it has at least one item.
     *
     * @param cut whether it might have gone on
     */
    List<Event> end(boolean cut) {
        List<Event> events = new ArrayList<>();
        if (output.isEmpty()) {
            beginMessage(events);
        }
        close(cut, events);
        return events;
    }

    /** All items; the answer must have ended. */
    ArrayNode output() {
        return output.deepCopy();
    }

    /** The same as a chat's message. */
    ObjectNode message() {
        ObjectNode message = Json.object().put("role", "assistant");
        if (calls.isEmpty() || !all.isEmpty()) {
            message.put("content", all.toString());
        }
        if (!calls.isEmpty()) {
            message.set("tool_calls", calls);
        }
        return message;
    }

    private void text(String more, List<Event> events) {
        if (open == null && !output.isEmpty() && more.isBlank()) {
            return; // behind a call
        }
        if (open == null) {
            beginMessage(events);
        }
        all.append(more);
        grown.append(more);
        ObjectNode delta = inMessage().put("delta", more);
        delta.putArray("logprobs");
        events.add(new Event("response.output_text.delta", delta));
    }

    private void beginMessage(List<Event> events) {
        ObjectNode item = Json.object();
        item.put("id", "msg_" + suffix());
        item.put("type", "message");
        item.put("status", "in_progress");
        item.put("role", "assistant");
        item.putArray("content");
        add(item, events);
        events.add(new Event("response.content_part.added", inMessage().set("part", part(""))));
    }

    private void begin(String function, List<Event> events) {
        close(false, events);
        ObjectNode item = Json.object();
        item.put("id", "fc_" + suffix());
        item.put("type", "function_call");
        item.put("status", "in_progress");
        item.put("call_id", "call_" + suffix());
        item.put("name", function);
        item.put("arguments", "");
        add(item, events);
    }

    private String suffix() {
        return output.isEmpty() ? name : name + "_" + output.size();
    }

    private void arguments(String more, List<Event> events) {
        grown.append(more);
        events.add(
                new Event("response.function_call_arguments.delta", inItem().put("delta", more)));
    }

    private void add(ObjectNode item, List<Event> events) {
        output.add(item);
        open = item;
        grown.setLength(0);
        events.add(
                new Event("response.output_item.added", inOutput().set("item", item.deepCopy())));
    }

    private void close(boolean cut, List<Event> events) {
        ObjectNode item = open;
        if (item == null) {
            return;
        }
        String whole = grown.toString();
        if (item.has("call_id")) {
            item.put("arguments", whole);
            calls.add(call(item));
            ObjectNode done = inItem().put("name", item.get("name").stringValue());
            events.add(
                    new Event(
                            "response.function_call_arguments.done", done.put("arguments", whole)));
        } else {
            item.withArray("/content").add(part(whole));
            ObjectNode done = inMessage().put("text", whole);
            done.putArray("logprobs");
            events.add(new Event("response.output_text.done", done));
            events.add(
                    new Event("response.content_part.done", inMessage().set("part", part(whole))));
        }
        item.put("status", cut ? "incomplete" : "completed");
        events.add(new Event("response.output_item.done", inOutput().set("item", item.deepCopy())));
        open = null;
    }

    private static ObjectNode call(JsonNode item) {
        ObjectNode call = Json.object();
        call.set("id", item.get("call_id"));
        call.put("type", "function");
        ObjectNode function = call.putObject("function");
        function.set("name", item.get("name"));
        String arguments = item.get("arguments").stringValue();
        function.put("arguments", arguments.isEmpty() ? "{}" : arguments);
        return call;
    }

    private static ObjectNode part(String text) {
        ObjectNode part = Json.object();
        part.put("type", "output_text");
        part.put("text", text);
        part.putArray("annotations");
        part.putArray("logprobs");
        return part;
    }

    private ObjectNode inMessage() {
        return inItem().put("content_index", 0);
    }

    private ObjectNode inItem() {
        ObjectNode fields = inOutput();
        ObjectNode item = open;
        return item == null ? fields : fields.set("item_id", item.get("id"));
    }

    private ObjectNode inOutput() {
        return Json.object().put("output_index", output.size() - 1);
    }
}
