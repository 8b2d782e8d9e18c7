package coop.sahkar.client.http;

import coop.sahkar.client.Answering;
import coop.sahkar.client.Completion;
import coop.sahkar.client.Completion.FinishReason;
import coop.sahkar.client.TextPiece;
import coop.sahkar.client.ToolCall;
import coop.sahkar.client.json.Json;
import coop.sahkar.client.provider.AnswerEvent;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads one answer in OpenAI's form, streamed or in one piece, of a chat or of a prompt. */
final class OpenAiReading implements Dialect.Reading {
    private final String service;
    private final CallPieces calls = new CallPieces();
    private boolean started;
    private @Nullable FinishReason reason;
    private Optional<Completion.Usage> usage = Optional.empty();

    OpenAiReading(String service) {
        this.service = service;
    }

    @Override
    public List<AnswerEvent> event(String name, String data) throws NotAnAnswer {
        if (data.strip().equals("[DONE]")) {
            return end();
        }
        Json chunk =
                Json.parse(data)
                        .filter(Json::isObject)
                        .orElseThrow(() -> new NotAnAnswer("sent an event that is no JSON object"));
        Json error = chunk.get("error");
        if (error.isPresent() || name.equals("error")) {
            Json said = error.isPresent() ? error : chunk;
            return List.of(new AnswerEvent.Failed(Refusals.inStream(service, said)));
        }
        List<AnswerEvent> events = new ArrayList<>();
        start(chunk, events);
        count(chunk);
        Json choice = chunk.get("choices").get(0);
        Json delta = choice.get("delta");
        calls.add(delta.get("tool_calls"));
        text(delta.isPresent() ? delta.get("content") : choice.get("text"), events);
        finish(choice);
        return events;
    }

    @Override
    public List<AnswerEvent> whole(Json body) throws NotAnAnswer {
        if (body.get("error").isPresent()) {
            return List.of(new AnswerEvent.Failed(Refusals.inStream(service, body.get("error"))));
        }
        Json choice = body.get("choices").get(0);
        if (!choice.isObject()) {
            throw new NotAnAnswer("sent JSON without an answer in it");
        }
        List<AnswerEvent> events = new ArrayList<>();
        start(body, events);
        count(body);
        Json message = choice.get("message");
        calls.add(message.get("tool_calls"));
        text(message.isPresent() ? message.get("content") : choice.get("text"), events);
        finish(choice);
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
        return List.of(new AnswerEvent.Finished(reason, usage, Optional.empty(), calls.complete()));
    }

    private void start(Json chunk, List<AnswerEvent> events) {
        if (!started) {
            started = true;
            events.add(
                    new AnswerEvent.Started(
                            new Answering(
                                    chunk.get("id").text(),
                                    chunk.get("model").text(),
                                    0,
                                    List.of())));
        }
    }

    private void count(Json chunk) {
        Json counted = chunk.get("usage");
        if (counted.isObject()) {
            usage =
                    Optional.of(
                            new Completion.Usage(
                                    counted.get("prompt_tokens").integer(),
                                    counted.get("completion_tokens").integer(),
                                    counted.get("prompt_tokens_details")
                                            .get("cached_tokens")
                                            .integer(),
                                    false));
        }
    }

    private static void text(Json content, List<AnswerEvent> events) {
        String text = content.text();
        events.add(
                text.isEmpty()
                        ? new AnswerEvent.Alive()
                        : new AnswerEvent.Piece(new TextPiece(text, -1, 0)));
    }

    private void finish(Json choice) {
        String said = choice.get("finish_reason").text();
        if (!said.isEmpty()) {
            reason =
                    switch (said) {
                        case "length", "max_tokens" -> FinishReason.LENGTH;
                        case "tool_calls", "function_call" -> FinishReason.TOOL_CALLS;
                        case "content_filter", "safety" -> FinishReason.FILTERED;
                        default -> FinishReason.STOP;
                    };
        }
    }

    /** Calls of tools that come in pieces, by their index. */
    static final class CallPieces {
        private static final class Pieces {
            private String id = "";
            private String name = "";
            private final StringBuilder arguments = new StringBuilder();
        }

        private final List<Pieces> all = new ArrayList<>();

        void add(Json toolCalls) throws NotAnAnswer {
            for (Json piece : toolCalls.elements()) {
                Json numbered = piece.get("index");
                int index = numbered.isPresent() ? numbered.integer() : all.size();
                Pieces call = at(index);
                call.id = call.id.isEmpty() ? piece.get("id").text() : call.id;
                call.name =
                        call.name.isEmpty() ? piece.get("function").get("name").text() : call.name;
                append(call, piece.get("function").get("arguments").text());
            }
        }

        /** A new call whose arguments follow. */
        void begin(String id, String name) throws NotAnAnswer {
            Pieces call = at(all.size());
            call.id = id;
            call.name = name;
        }

        /** More of the arguments of the last call. */
        void append(String arguments) throws NotAnAnswer {
            if (!all.isEmpty()) {
                append(all.getLast(), arguments);
            }
        }

        private static void append(Pieces call, String arguments) throws NotAnAnswer {
            if (call.arguments.length() + arguments.length() > Bounds.MAX_EVENT_CHARS) {
                throw new NotAnAnswer("wants a tool called with too many arguments");
            }
            call.arguments.append(arguments);
        }

        private Pieces at(int index) throws NotAnAnswer {
            if (index < 0 || index >= Bounds.MAX_TOOL_CALLS) {
                throw new NotAnAnswer(
                        "wants more than %d tools called".formatted(Bounds.MAX_TOOL_CALLS));
            }
            while (all.size() <= index) {
                all.add(new Pieces());
            }
            return all.get(index);
        }

        List<ToolCall> complete() {
            return all.stream()
                    .filter(call -> !call.name.isEmpty())
                    .map(call -> new ToolCall(call.id, call.name, call.arguments.toString()))
                    .toList();
        }
    }
}
