package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import coop.sahkar.proto.CallReader;
import coop.sahkar.proto.CallRules;
import coop.sahkar.proto.CalledFunctions;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.Started;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/** Answers as Ollama writes them; streams are one JSON object a line. Has one choice. */
final class OllamaFormat implements AnswerFormat {
    private static final MediaType LINES = MediaType.parse("application/x-ndjson");
    private static final long NANOS_PER_MICRO = 1_000;

    private final long beganNanos = System.nanoTime();
    private final boolean chat;
    private final String model;
    private final @Nullable CallRules rules;
    private final CalledFunctions called = new CalledFunctions();
    private @Nullable CallReader reader;

    /**
     * @param chat which of the two shapes
     * @param model the model's name
     * @param rules what is taken for a call of a function; null if nothing is
     */
    OllamaFormat(boolean chat, String model, @Nullable CallRules rules) {
        this.chat = chat;
        this.model = model;
        this.rules = rules;
    }

    /** A problem in Ollama's shape, with {@code Retry-After} where waiting helps. */
    static HttpResponse error(Problem problem) {
        return HttpResponse.of(
                OpenAiErrors.headers(problem), HttpData.wrap(Json.bytes(sentence(problem))));
    }

    private static ObjectNode sentence(Problem problem) {
        ObjectNode json = Json.object();
        json.put("error", problem.message());
        return json;
    }

    /** The answer to a request that asks only for the model to be there. */
    HttpResponse loaded() {
        ObjectNode json = line("");
        json.put("done", true);
        json.put("done_reason", "load");
        return Json.response(200, json);
    }

    /** Clients want the name they asked for back. */
    @Override
    public void started(Started started) {
        reader = rules == null || reader != null ? reader : rules.reader(started);
    }

    @Override
    public MediaType streamType() {
        return LINES;
    }

    @Override
    public @Nullable HttpData ping() {
        return null;
    }

    @Override
    public List<HttpData> opening(int choice) {
        return List.of();
    }

    @Override
    public List<HttpData> piece(int choice, Delta delta) {
        if (delta.getText().isEmpty()) {
            return List.of();
        }
        return lines(
                reader == null
                        ? List.of(new CallReader.Part.Text(delta.getText()))
                        : reader.read(delta.getText()));
    }

    /** A call is told when it is whole. */
    private List<HttpData> lines(List<CallReader.Part> parts) {
        List<HttpData> lines = new ArrayList<>();
        for (CallReader.Part part : parts) {
            called.add(part);
            if (part instanceof CallReader.Part.Text(String text)) {
                lines.add(written(line(text).put("done", false)));
            } else if (part instanceof CallReader.Part.Ended(int index)) {
                ObjectNode line = line("").put("done", false);
                addCall(line, called, index);
                lines.add(written(line));
            }
        }
        return lines;
    }

    private static void addCall(ObjectNode line, CalledFunctions called, int index) {
        ((ObjectNode) line.get("message"))
                .withArray("/tool_calls")
                .add(OllamaCalls.call(called.name(index), called.arguments(index)));
    }

    @Override
    public List<HttpData> ended(int choice, Finished finished) {
        List<HttpData> lines = new ArrayList<>(lines(reader == null ? List.of() : reader.end()));
        lines.add(written(last("", finished)));
        return lines;
    }

    @Override
    public List<HttpData> closing(Finished total) {
        return List.of();
    }

    @Override
    public HttpData broken(Problem problem) {
        return written(sentence(problem));
    }

    @Override
    public HttpData whole(List<Choice> choices, Finished total) {
        String text = choices.getFirst().text();
        CallReader calls = reader;
        if (calls == null) {
            return HttpData.wrap(Json.bytes(last(text, total)));
        }
        calls.read(text).forEach(called::add);
        calls.end().forEach(called::add);
        ObjectNode line = last(called.text(), total);
        for (int i = 0; i < called.count(); i++) {
            addCall(line, called, i);
        }
        return HttpData.wrap(Json.bytes(line));
    }

    @Override
    public HttpResponse refused(Problem problem) {
        return error(problem);
    }

    private ObjectNode line(String text) {
        ObjectNode json = Json.object();
        json.put("model", model);
        json.put("created_at", Instant.now().toString());
        if (chat) {
            json.putObject("message").put("role", "assistant").put("content", text);
        } else {
            json.put("response", text);
        }
        return json;
    }

    private ObjectNode last(String text, Finished finished) {
        ObjectNode json = line(text);
        boolean length = finished.getReason() == FinishReason.FINISH_REASON_LENGTH;
        json.put("done", true);
        json.put("done_reason", length ? "length" : "stop");
        json.put("total_duration", System.nanoTime() - beganNanos);
        json.put("load_duration", 0);
        json.put("prompt_eval_count", finished.getPromptTokens());
        json.put("prompt_eval_duration", finished.getFirstTokenMicros() * NANOS_PER_MICRO);
        json.put("eval_count", finished.getCompletionTokens());
        json.put("eval_duration", finished.getDecodeMicros() * NANOS_PER_MICRO);
        return json;
    }

    private static HttpData written(ObjectNode json) {
        String line = new String(Json.bytes(json), StandardCharsets.UTF_8);
        return HttpData.ofUtf8(line + "\n");
    }
}
