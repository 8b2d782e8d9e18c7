package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import coop.sahkar.proto.CallReader;
import coop.sahkar.proto.CallRules;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.Started;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Answers as {@code /v1/responses} writes them; streams are events with names. Has one choice. */
final class ResponsesFormat implements AnswerFormat {
    private static final HttpData PING = HttpData.ofUtf8(": ping\n\n");

    private final ObjectNode shell;
    private final ResponseItems items;
    private final @Nullable CallRules rules;
    private final BiConsumer<ObjectNode, ObjectNode> keep;
    private @Nullable CallReader reader;
    private int sequence;

    /**
     * @param id the response's
     * @param asked the request's fields
     * @param rules what is taken for a call of a function; null if nothing is
     * @param keep takes the response when it is complete, and what it says as a chat's message
     */
    ResponsesFormat(
            String id,
            long createdSeconds,
            Fields asked,
            @Nullable CallRules rules,
            BiConsumer<ObjectNode, ObjectNode> keep) {
        this.items = new ResponseItems(id.replaceFirst("resp_", ""));
        this.rules = rules;
        this.shell = shell(id, createdSeconds, asked);
        this.keep = keep;
    }

    private static ObjectNode shell(String id, long createdSeconds, Fields asked) {
        ObjectNode shell = Json.object();
        shell.put("id", id);
        shell.put("object", "response");
        shell.put("created_at", createdSeconds);
        shell.put("status", "in_progress");
        shell.put("background", false);
        shell.putNull("error");
        shell.putNull("incomplete_details");
        for (String same :
                List.of("instructions", "max_output_tokens", "model", "previous_response_id")) {
            shell.set(same, asked.get(same));
        }
        shell.putArray("output");
        shell.put("parallel_tool_calls", asked.flag("parallel_tool_calls", true));
        shell.put("store", asked.flag("store", true));
        shell.put("temperature", asked.number("temperature").orElse(1));
        JsonNode format = asked.object().at("/text/format");
        if (format.isObject()) {
            shell.putObject("text").set("format", format);
        } else {
            shell.putObject("text").putObject("format").put("type", "text");
        }
        shell.set(
                "tool_choice",
                Objects.requireNonNullElse(asked.get("tool_choice"), Json.text("auto")));
        JsonNode tools = asked.get("tools");
        shell.putArray("tools").addAll(tools instanceof ArrayNode all ? all : Json.array());
        shell.put("top_p", asked.number("top_p").orElse(1));
        shell.put("truncation", "disabled");
        shell.putNull("usage");
        shell.set("metadata", Objects.requireNonNullElse(asked.get("metadata"), Json.object()));
        return shell;
    }

    @Override
    public void started(Started started) {
        shell.put("model", started.getModelId());
        if (rules != null && reader == null) {
            reader = rules.reader(started);
        }
    }

    @Override
    public MediaType streamType() {
        return MediaType.EVENT_STREAM;
    }

    @Override
    public HttpData ping() {
        return PING;
    }

    @Override
    public List<HttpData> opening(int choice) {
        return List.of(
                event("response.created", Json.object().set("response", shell)),
                event("response.in_progress", Json.object().set("response", shell)));
    }

    @Override
    public List<HttpData> piece(int choice, Delta delta) {
        return events(items.take(parts(delta.getText())));
    }

    private List<CallReader.Part> parts(String more) {
        if (reader != null) {
            return reader.read(more);
        }
        return more.isEmpty() ? List.of() : List.of(new CallReader.Part.Text(more));
    }

    @Override
    public List<HttpData> ended(int choice, Finished finished) {
        List<HttpData> events = new ArrayList<>(events(end(finished)));
        ObjectNode whole = complete(finished);
        events.add(
                event(
                        "response." + whole.get("status").stringValue(),
                        Json.object().set("response", whole)));
        return events;
    }

    private List<ResponseItems.Event> end(Finished finished) {
        List<ResponseItems.Event> events = new ArrayList<>();
        if (reader != null) {
            events.addAll(items.take(reader.end()));
        }
        events.addAll(items.end(cut(finished)));
        return events;
    }

    private static boolean cut(Finished finished) {
        return finished.getReason() == FinishReason.FINISH_REASON_LENGTH;
    }

    @Override
    public List<HttpData> closing(Finished total) {
        return List.of();
    }

    @Override
    public HttpData broken(Problem problem) {
        ObjectNode failed = shell.deepCopy();
        failed.put("status", "failed");
        ObjectNode error = failed.putObject("error");
        error.put("code", "server_error");
        error.put("message", problem.message());
        return event("response.failed", Json.object().set("response", failed));
    }

    @Override
    public HttpData whole(List<Choice> choices, Finished total) {
        items.take(parts(choices.getFirst().text()));
        end(total);
        return HttpData.wrap(Json.bytes(complete(total)));
    }

    @Override
    public HttpResponse refused(Problem problem) {
        return OpenAiErrors.response(problem);
    }

    private ObjectNode complete(Finished finished) {
        ObjectNode whole = shell.deepCopy();
        whole.put("status", cut(finished) ? "incomplete" : "completed");
        if (cut(finished)) {
            whole.putObject("incomplete_details").put("reason", "max_output_tokens");
        }
        whole.set("output", items.output());
        ObjectNode usage = whole.putObject("usage");
        usage.put("input_tokens", finished.getPromptTokens());
        usage.putObject("input_tokens_details").put("cached_tokens", finished.getReusedTokens());
        usage.put("output_tokens", finished.getCompletionTokens());
        usage.putObject("output_tokens_details").put("reasoning_tokens", 0);
        usage.put("total_tokens", finished.getPromptTokens() + finished.getCompletionTokens());
        keep.accept(whole, items.message());
        return whole;
    }

    private List<HttpData> events(List<ResponseItems.Event> events) {
        return events.stream().map(event -> event(event.type(), event.fields())).toList();
    }

    private HttpData event(String type, JsonNode fields) {
        ObjectNode event = Json.object();
        event.put("type", type);
        event.put("sequence_number", sequence++);
        fields.properties().forEach(field -> event.set(field.getKey(), field.getValue()));
        return HttpData.ofUtf8("event: " + type + "\ndata: " + Json.written(event) + "\n\n");
    }
}
