package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.store.embedding.CosineSimilarity;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** LangChain4j's own client of OpenAI's API. */
final class LangChainCases {
    private static final String CLIENT = "langchain4j-open-ai 1.19.0";
    private static final String CHAT = "/v1/chat/completions";
    private static final ChatMessage QUESTION = UserMessage.from("What is a worker?");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final JsonObjectSchema NUMBERS =
            JsonObjectSchema.builder()
                    .addIntegerProperty("first")
                    .addEnumProperty("second", List.of("one", "two"))
                    .required("first", "second")
                    .build();
    private static final ToolSpecification ADD =
            ToolSpecification.builder()
                    .name("add")
                    .description("Adds two numbers.")
                    .parameters(NUMBERS)
                    .build();

    private final TestPool pool;
    private final String model;

    LangChainCases(TestPool pool) {
        this.pool = pool;
        this.model = pool.model().substring(0, pool.model().indexOf('@'));
    }

    List<ClientCase> all() {
        return List.of(
                of(this::chats, "messages, usage"),
                of(this::streams, "stream", "stream_options"),
                of(this::stops, "stop"),
                of(this::fillsASchema, "response_format: json_schema"),
                of(this::hearsErrors, "errors"),
                of(this::hangsUp, "hanging up"),
                of(this::calls, "tools", "tool_choice: required", "role: tool"),
                of(this::streamsCalls, "tools, streamed"),
                new ClientCase(
                        CLIENT,
                        "/v1/embeddings",
                        List.of("input", "several inputs"),
                        this::embeds));
    }

    private static ClientCase of(ClientCase.Check check, String... shows) {
        return new ClientCase(CLIENT, CHAT, List.of(shows), check);
    }

    private void embeds() {
        OpenAiEmbeddingModel embedding =
                OpenAiEmbeddingModel.builder()
                        .baseUrl("http://" + pool.address() + "/v1")
                        .apiKey("any")
                        .modelName(model)
                        .maxRetries(0)
                        .build();
        float[] one = embedding.embed("What is a worker?").content().vector();
        List<TextSegment> texts =
                List.of(TextSegment.from("What is a worker?"), TextSegment.from("A tide."));
        List<Embedding> two = embedding.embedAll(texts).content();
        assertThat(two).hasSize(2);
        assertThat(CosineSimilarity.between(Embedding.from(one), two.getFirst()))
                .isGreaterThan(0.999);
        assertThat(CosineSimilarity.between(two.getFirst(), two.getLast())).isLessThan(0.99);
    }

    private OpenAiChatModel.OpenAiChatModelBuilder builder() {
        return OpenAiChatModel.builder()
                .baseUrl("http://" + pool.address() + "/v1")
                .apiKey("any")
                .modelName(model)
                .temperature(0.0)
                .maxRetries(0);
    }

    private static ChatRequest.Builder ask(int tokens, ChatMessage... messages) {
        return ChatRequest.builder().messages(messages).maxOutputTokens(tokens);
    }

    private ChatResponse answer(ChatRequest.Builder asked) {
        return builder().build().chat(asked.build());
    }

    /** Keeps what a stream says; may stop it. */
    private static final class Reader implements StreamingChatResponseHandler {
        private final StringBuilder text = new StringBuilder();
        private final StringBuilder arguments = new StringBuilder();
        private final CompletableFuture<ChatResponse> done = new CompletableFuture<>();
        private final int most;
        private int pieces;

        Reader(int most) {
            this.most = most;
        }

        @Override
        public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
            text.append(part.text());
            if (++pieces == most) {
                context.streamingHandle().cancel();
                done.completeExceptionally(new IllegalStateException("cancelled"));
            }
        }

        @Override
        public void onPartialToolCall(PartialToolCall part) {
            arguments.append(part.partialArguments());
        }

        @Override
        public void onCompleteResponse(ChatResponse whole) {
            done.complete(whole);
        }

        @Override
        public void onError(Throwable failure) {
            done.completeExceptionally(failure);
        }

        ChatResponse whole() throws Exception {
            return done.get(TestPool.SOON.toSeconds(), TimeUnit.SECONDS);
        }
    }

    private Reader read(ChatRequest.Builder asked, int most) {
        Reader reader = new Reader(most);
        OpenAiStreamingChatModel.builder()
                .baseUrl("http://" + pool.address() + "/v1")
                .apiKey("any")
                .modelName(model)
                .temperature(0.0)
                .build()
                .chat(asked.build(), reader);
        return reader;
    }

    private void chats() {
        ChatResponse answer = answer(ask(24, QUESTION));
        assertThat(answer.aiMessage().text()).isNotBlank();
        assertThat(answer.tokenUsage().outputTokenCount()).isPositive();
        assertThat(answer.finishReason()).isIn(FinishReason.STOP, FinishReason.LENGTH);
    }

    private void streams() throws Exception {
        Reader reader = read(ask(24, QUESTION), Integer.MAX_VALUE);
        ChatResponse whole = reader.whole();
        assertThat(whole.aiMessage().text()).isEqualTo(reader.text.toString()).isNotBlank();
        assertThat(whole.aiMessage().text())
                .isEqualTo(answer(ask(24, QUESTION)).aiMessage().text());
        assertThat(whole.tokenUsage().outputTokenCount()).isPositive();
    }

    private void stops() {
        String text = answer(ask(24, QUESTION)).aiMessage().text();
        String stop = text.substring(text.length() / 2, text.length() / 2 + 3);
        ChatResponse stopped = answer(ask(24, QUESTION).stopSequences(List.of(stop)));
        assertThat(stopped.aiMessage().text()).isEqualTo(text.substring(0, text.indexOf(stop)));
        assertThat(stopped.finishReason()).isEqualTo(FinishReason.STOP);
    }

    private void fillsASchema() {
        ResponseFormat format =
                ResponseFormat.builder()
                        .type(ResponseFormatType.JSON)
                        .jsonSchema(
                                JsonSchema.builder().name("numbers").rootElement(NUMBERS).build())
                        .build();
        requireNumbers(answer(ask(120, QUESTION).responseFormat(format)).aiMessage().text());
    }

    private static void requireNumbers(String json) {
        JsonNode numbers = JSON.readTree(json);
        assertThat(numbers.get("first").isIntegralNumber()).as(json).isTrue();
        assertThat(numbers.get("second").stringValue()).isIn("one", "two");
    }

    private void hearsErrors() {
        OpenAiChatModel unknown = builder().modelName("gpt-9").build();
        assertThatThrownBy(() -> unknown.chat("Hi")).isInstanceOf(ModelNotFoundException.class);
        assertThatThrownBy(() -> answer(ask(24, QUESTION).temperature(9.0)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("temperature");
    }

    private void hangsUp() throws Exception {
        ChatMessage story = UserMessage.from(Questions.STORY);
        HungUp.isNoticed(
                pool, () -> assertThat(read(ask(400, story), 3).done).failsWithin(TestPool.SOON));
    }

    private static ChatRequest.Builder askToAdd() {
        return ask(160, QUESTION).toolSpecifications(ADD).toolChoice(ToolChoice.REQUIRED);
    }

    private static ToolExecutionRequest firstCall(ChatResponse answer) {
        assertThat(answer.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
        ToolExecutionRequest call = answer.aiMessage().toolExecutionRequests().getFirst();
        assertThat(call.name()).isEqualTo("add");
        requireNumbers(call.arguments());
        return call;
    }

    private void calls() {
        ChatResponse answer = answer(askToAdd());
        ToolExecutionRequest call = firstCall(answer);
        ChatResponse last =
                answer(
                        ask(
                                        24,
                                        QUESTION,
                                        answer.aiMessage(),
                                        ToolExecutionResultMessage.from(call, "3"))
                                .toolSpecifications(ADD));
        assertThat(last.aiMessage()).isNotNull();
    }

    private void streamsCalls() throws Exception {
        Reader reader = read(askToAdd(), Integer.MAX_VALUE);
        ChatResponse whole = reader.whole();
        firstCall(whole);
        assertThat(reader.arguments)
                .hasToString(
                        String.join(
                                "",
                                whole.aiMessage().toolExecutionRequests().stream()
                                        .map(ToolExecutionRequest::arguments)
                                        .toList()));
    }
}
