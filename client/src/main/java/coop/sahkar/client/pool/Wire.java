package coop.sahkar.client.pool;

import coop.sahkar.client.AnswerFormat;
import coop.sahkar.client.Answering;
import coop.sahkar.client.ChatMessage;
import coop.sahkar.client.Completion;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.InferenceRequest.Input;
import coop.sahkar.client.ModelInfo;
import coop.sahkar.client.Tool;
import coop.sahkar.client.ToolCall;
import coop.sahkar.client.provider.AnswerEvent;
import coop.sahkar.client.provider.Call;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.ModelStatus;
import coop.sahkar.proto.v1.SamplingMessage;
import coop.sahkar.proto.v1.Started;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Between the library's own values and the messages of the wire; what both ends share is read by
 * {@link coop.sahkar.proto.Wire}.
 */
final class Wire {
    private Wire() {}

    /** The message for a call. */
    static GenerateRequest toMessage(Call call) {
        GenerationOptions options = call.request().options();
        GenerateRequest.Builder message =
                input(call.request(), call.model(), call.delivered())
                        .setSampling(sampling(options, call.seed()))
                        .setMaxTokens(call.maxTokens())
                        .addAllStop(options.stop());
        switch (call.request().format()) {
            case AnswerFormat.Text _ -> {}
            case AnswerFormat.JsonObject _ -> message.setJsonObject(true);
            case AnswerFormat.JsonSchema(_, String schema) -> message.setJsonSchema(schema);
        }
        return message.build();
    }

    /**
     * What a request goes on from.
     *
     * @param delivered text that the reader of a prompt has already
     */
    static GenerateRequest.Builder input(InferenceRequest request, String model, String delivered) {
        GenerateRequest.Builder message = GenerateRequest.newBuilder().setModel(model);
        return switch (request.input()) {
            case Input.Prompt(String text) -> message.setPrompt(text + delivered);
            case Input.Conversation(var messages) ->
                    message.setChat(chat(messages, request.tools()));
        };
    }

    private static Chat chat(List<ChatMessage> messages, List<Tool> tools) {
        Chat.Builder chat = Chat.newBuilder();
        for (ChatMessage said : messages) {
            var message =
                    chat.addMessagesBuilder()
                            .setRole(said.role().wireName())
                            .setContent(said.content())
                            .setCallId(said.toolCallId());
            for (ToolCall call : said.toolCalls()) {
                message.addCallsBuilder()
                        .setId(call.id())
                        .setName(call.name())
                        .setArguments(call.arguments());
            }
        }
        for (Tool tool : tools) {
            chat.addToolsBuilder()
                    .setName(tool.name())
                    .setDescription(tool.description())
                    .setParameters(tool.parameters());
        }
        return chat.build();
    }

    private static SamplingMessage sampling(GenerationOptions options, long seed) {
        return SamplingMessage.newBuilder()
                .setTemperature(options.temperature())
                .setTopK(options.topK())
                .setTopP(options.topP())
                .setMinP(options.minP())
                .setTypicalP(options.typicalP())
                .setRepetitionPenalty(options.repetitionPenalty())
                .setFrequencyPenalty(options.frequencyPenalty())
                .setPresencePenalty(options.presencePenalty())
                .setPenaltyWindow(options.penaltyWindow())
                .putAllLogitBias(options.logitBias())
                .setSeed(options.seed().orElse(seed))
                .build();
    }

    static Answering answering(Started started) {
        return new Answering(
                started.getRequestId(),
                started.getModelId(),
                started.getPromptTokens(),
                started.getRouteList().stream().map(coop.sahkar.proto.Wire::fromWire).toList());
    }

    /**
     * The end of an answer.
     *
     * @param calls the tools that it calls
     */
    static AnswerEvent.Finished finished(Finished finished, List<ToolCall> calls) {
        Completion.FinishReason reason =
                switch (finished.getReason()) {
                    case FINISH_REASON_LENGTH -> Completion.FinishReason.LENGTH;
                    case FINISH_REASON_STOP, FINISH_REASON_UNSPECIFIED, UNRECOGNIZED ->
                            calls.isEmpty()
                                    ? Completion.FinishReason.STOP
                                    : Completion.FinishReason.TOOL_CALLS;
                };
        Completion.Usage usage =
                new Completion.Usage(
                        finished.getPromptTokens(),
                        finished.getCompletionTokens(),
                        finished.getReusedTokens(),
                        false);
        Completion.Timings timings =
                new Completion.Timings(
                        micros(finished.getFirstTokenMicros()), micros(finished.getDecodeMicros()));
        return new AnswerEvent.Finished(reason, Optional.of(usage), Optional.of(timings), calls);
    }

    /** What the router makes of a problem of the pool. */
    static Failure failure(Problem problem) {
        FailureKind kind =
                switch (problem.kind()) {
                    case INVALID_REQUEST -> FailureKind.BAD_REQUEST;
                    case MODEL_NOT_FOUND -> FailureKind.NOT_FOUND;
                    case CONTEXT_LENGTH_EXCEEDED -> FailureKind.CONTEXT;
                    case OVERLOADED, MODEL_INCOMPLETE -> FailureKind.OVERLOAD;
                    case RATE_LIMITED -> FailureKind.RATE;
                    case WORKER_LOST -> FailureKind.NETWORK;
                    case CANCELLED -> FailureKind.CANCELLED;
                    case DEADLINE_EXCEEDED -> FailureKind.DEADLINE;
                    case UNAUTHORIZED -> FailureKind.AUTH;
                    case PROTOCOL, NOT_LEADER, INTERNAL -> FailureKind.BROKEN;
                };
        Optional<Duration> rest =
                problem.retryAfterMillis() == 0
                        ? Optional.empty()
                        : Optional.of(Duration.ofMillis(problem.retryAfterMillis()));
        // The pool has looked for other ways by itself; only when it is full does time help.
        boolean again =
                problem.kind() == Problem.Kind.OVERLOADED
                        || problem.kind() == Problem.Kind.RATE_LIMITED;
        return new Failure(
                kind,
                problem.message(),
                problem.field(),
                rest,
                again,
                Optional.of(problem.kind()),
                null);
    }

    static ModelInfo model(ModelStatus status) {
        return new ModelInfo(
                status.getModelId(),
                status.getName(),
                status.getArchitecture(),
                status.getQuantization(),
                status.getFileBytes(),
                status.getBlockCount(),
                status.getContextLength(),
                status.getReady(),
                status.getMissingList().stream().map(coop.sahkar.proto.Wire::fromWire).toList(),
                status.getExplanation(),
                Instant.ofEpochMilli(status.getPublishedAtMillis()),
                status.getGoneAtMillis() == 0
                        ? Optional.empty()
                        : Optional.of(Instant.ofEpochMilli(status.getGoneAtMillis())));
    }

    /** What a call's end means once a coordinator was reached. */
    static Problem problem(Status status, String coordinator) {
        String said = status.getDescription() == null ? "" : status.getDescription();
        return switch (status.getCode()) {
            case INVALID_ARGUMENT, OUT_OF_RANGE -> Problem.of(Problem.Kind.INVALID_REQUEST, said);
            case NOT_FOUND -> Problem.of(Problem.Kind.MODEL_NOT_FOUND, said);
            case RESOURCE_EXHAUSTED -> Problem.of(Problem.Kind.OVERLOADED, said);
            case DEADLINE_EXCEEDED ->
                    Problem.of(
                            Problem.Kind.DEADLINE_EXCEEDED,
                            "The time allowed for the answer has passed.");
            case CANCELLED -> Problem.of(Problem.Kind.CANCELLED, "The generation was cancelled.");
            case UNAUTHENTICATED, PERMISSION_DENIED -> Problem.of(Problem.Kind.UNAUTHORIZED, said);
            case UNIMPLEMENTED ->
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            "%s is no coordinator of this version; check the address and the versions on both sides."
                                    .formatted(coordinator));
            case UNAVAILABLE ->
                    Problem.of(
                            Problem.Kind.WORKER_LOST,
                            "The connection to the coordinator at %s was lost; try again."
                                    .formatted(coordinator));
            case OK, UNKNOWN, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED, INTERNAL, DATA_LOSS ->
                    Problem.of(
                            Problem.Kind.INTERNAL,
                            "The coordinator at %s failed: %s".formatted(coordinator, status));
        };
    }

    private static Duration micros(long micros) {
        return Duration.ofNanos(micros * 1000);
    }
}
