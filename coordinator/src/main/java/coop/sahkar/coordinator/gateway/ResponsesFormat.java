package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.Started;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Answers as {@code /v1/responses} writes them; streams are events with names. Has one choice. */
final class ResponsesFormat implements AnswerFormat {
    private static final HttpData PING = HttpData.ofUtf8(": ping\n\n");

    private final ObjectNode shell;
    private final String itemId;
    private final BiConsumer<ObjectNode, String> keep;
    private final StringBuilder text = new StringBuilder();
    private int sequence;

    /**
     * @param id the response's
     * @param asked the request's fields
     * @param keep takes the response and its text when it is complete
     */
    ResponsesFormat(
            String id, long createdSeconds, Fields asked, BiConsumer<ObjectNode, String> keep) {
        this.itemId = id.replaceFirst("resp_", "msg_");
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
        shell.put("parallel_tool_calls", true);
        shell.put("store", asked.flag("store", true));
        shell.put("temperature", asked.number("temperature").orElse(1));
        JsonNode format = asked.object().at("/text/format");
        if (format.isObject()) {
            shell.putObject("text").set("format", format);
        } else {
            shell.putObject("text").putObject("format").put("type", "text");
        }
        shell.put("tool_choice", "auto");
        shell.putArray("tools");
        shell.put("top_p", asked.number("top_p").orElse(1));
        shell.put("truncation", "disabled");
        shell.putNull("usage");
        shell.set("metadata", Objects.requireNonNullElse(asked.get("metadata"), Json.object()));
        return shell;
    }

    @Override
    public void started(Started started) {
        shell.put("model", started.getModelId());
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
                event("response.in_progress", Json.object().set("response", shell)),
                event("response.output_item.added", inOutput().set("item", item(null))),
                event("response.content_part.added", inItem().set("part", part(""))));
    }

    @Override
    public List<HttpData> piece(int choice, Delta delta) {
        if (delta.getText().isEmpty()) {
            return List.of();
        }
        text.append(delta.getText());
        ObjectNode more = inItem().put("delta", delta.getText());
        more.putArray("logprobs");
        return List.of(event("response.output_text.delta", more));
    }

    @Override
    public List<HttpData> ended(int choice, Finished finished) {
        ObjectNode whole = complete(text.toString(), finished);
        ObjectNode done = inItem().put("text", text.toString());
        done.putArray("logprobs");
        return List.of(
                event("response.output_text.done", done),
                event("response.content_part.done", inItem().set("part", part(text.toString()))),
                event(
                        "response.output_item.done",
                        inOutput().set("item", whole.get("output").get(0))),
                event(
                        "response." + whole.get("status").stringValue(),
                        Json.object().set("response", whole)));
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
        return HttpData.wrap(Json.bytes(complete(choices.getFirst().text(), total)));
    }

    @Override
    public HttpResponse refused(Problem problem) {
        return OpenAiErrors.response(problem);
    }

    private ObjectNode complete(String answer, Finished finished) {
        boolean cut = finished.getReason() == FinishReason.FINISH_REASON_LENGTH;
        ObjectNode whole = shell.deepCopy();
        whole.put("status", cut ? "incomplete" : "completed");
        if (cut) {
            whole.putObject("incomplete_details").put("reason", "max_output_tokens");
        }
        whole.putArray("output").add(item(answer).put("status", cut ? "incomplete" : "completed"));
        ObjectNode usage = whole.putObject("usage");
        usage.put("input_tokens", finished.getPromptTokens());
        usage.putObject("input_tokens_details").put("cached_tokens", finished.getReusedTokens());
        usage.put("output_tokens", finished.getCompletionTokens());
        usage.putObject("output_tokens_details").put("reasoning_tokens", 0);
        usage.put("total_tokens", finished.getPromptTokens() + finished.getCompletionTokens());
        keep.accept(whole, answer);
        return whole;
    }

    private ObjectNode item(@Nullable String answer) {
        ObjectNode item = Json.object();
        item.put("id", itemId);
        item.put("type", "message");
        item.put("status", "in_progress");
        item.put("role", "assistant");
        item.putArray("content");
        if (answer != null) {
            item.withArray("/content").add(part(answer));
        }
        return item;
    }

    private static ObjectNode part(String answer) {
        ObjectNode part = Json.object();
        part.put("type", "output_text");
        part.put("text", answer);
        part.putArray("annotations");
        part.putArray("logprobs");
        return part;
    }

    private ObjectNode inItem() {
        return inOutput().put("item_id", itemId).put("content_index", 0);
    }

    private static ObjectNode inOutput() {
        return Json.object().put("output_index", 0);
    }

    private HttpData event(String type, JsonNode fields) {
        ObjectNode event = Json.object();
        event.put("type", type);
        event.put("sequence_number", sequence++);
        fields.properties().forEach(field -> event.set(field.getKey(), field.getValue()));
        return HttpData.ofUtf8("event: " + type + "\ndata: " + Json.written(event) + "\n\n");
    }
}
