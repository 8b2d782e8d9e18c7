package coop.sahkar.client.http;

import coop.sahkar.client.Answering;
import coop.sahkar.client.Completion;
import coop.sahkar.client.Completion.FinishReason;
import coop.sahkar.client.TextPiece;
import coop.sahkar.client.json.Json;
import coop.sahkar.client.provider.AnswerEvent;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads one answer of Anthropic's Messages API. */
final class AnthropicReading implements Dialect.Reading {
    private final String service;
    private final OpenAiReading.CallPieces calls = new OpenAiReading.CallPieces();
    private int promptTokens;
    private int answerTokens;
    private @Nullable FinishReason reason;

    AnthropicReading(String service) {
        this.service = service;
    }

    @Override
    public List<AnswerEvent> event(String name, String data) throws NotAnAnswer {
        Json event =
                Json.parse(data)
                        .filter(Json::isObject)
                        .orElseThrow(() -> new NotAnAnswer("sent an event that is no JSON object"));
        return switch (event.get("type").text()) {
            case "message_start" -> start(event.get("message"));
            case "content_block_start" -> block(event.get("content_block"));
            case "content_block_delta" -> delta(event.get("delta"));
            case "message_delta" -> {
                answerTokens = event.get("usage").get("output_tokens").integer();
                finish(event.get("delta").get("stop_reason").text());
                yield List.of(new AnswerEvent.Alive());
            }
            case "message_stop" -> end();
            case "error" ->
                    List.of(new AnswerEvent.Failed(Refusals.inStream(service, event.get("error"))));
            // New kinds of events may come at any time; they show that it is alive.
            default -> List.of(new AnswerEvent.Alive());
        };
    }

    @Override
    public List<AnswerEvent> whole(Json body) throws NotAnAnswer {
        if (!body.get("type").text().equals("message")) {
            throw new NotAnAnswer("sent JSON without an answer in it");
        }
        List<AnswerEvent> events = new ArrayList<>(start(body));
        for (Json block : body.get("content").elements()) {
            events.addAll(block(block));
            calls.append(block.get("input").isObject() ? Json.write(block.get("input")) : "");
        }
        answerTokens = body.get("usage").get("output_tokens").integer();
        finish(body.get("stop_reason").text());
        events.addAll(end());
        return events;
    }

    @Override
    public List<AnswerEvent> end() {
        if (reason == null) {
            return List.of(
                    new AnswerEvent.Failed(
                            Failure.of(
                                    FailureKind.NETWORK,
                                    "%s hung up before the end of its answer."
                                            .formatted(service))));
        }
        return List.of(
                new AnswerEvent.Finished(
                        reason,
                        Optional.of(new Completion.Usage(promptTokens, answerTokens)),
                        Optional.empty(),
                        calls.complete()));
    }

    private List<AnswerEvent> start(Json message) {
        Json usage = message.get("usage");
        promptTokens =
                usage.get("input_tokens").integer()
                        + usage.get("cache_creation_input_tokens").integer()
                        + usage.get("cache_read_input_tokens").integer();
        return List.of(
                new AnswerEvent.Started(
                        new Answering(
                                message.get("id").text(),
                                message.get("model").text(),
                                promptTokens,
                                List.of())));
    }

    private List<AnswerEvent> block(Json block) throws NotAnAnswer {
        if (block.get("type").text().equals("tool_use")) {
            calls.begin(block.get("id").text(), block.get("name").text());
        }
        return text(block.get("text").text());
    }

    private List<AnswerEvent> delta(Json delta) throws NotAnAnswer {
        calls.append(delta.get("partial_json").text());
        return text(delta.get("text").text());
    }

    private static List<AnswerEvent> text(String text) {
        return List.of(
                text.isEmpty()
                        ? new AnswerEvent.Alive()
                        : new AnswerEvent.Piece(new TextPiece(text, -1, 0)));
    }

    private void finish(String said) {
        if (!said.isEmpty()) {
            reason =
                    switch (said) {
                        case "max_tokens", "model_context_window_exceeded" -> FinishReason.LENGTH;
                        case "tool_use" -> FinishReason.TOOL_CALLS;
                        case "refusal" -> FinishReason.FILTERED;
                        default -> FinishReason.STOP;
                    };
        }
    }
}
