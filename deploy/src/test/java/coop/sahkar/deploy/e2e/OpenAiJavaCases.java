package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionNamedToolChoice;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.Embedding;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseFunctionToolCall;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseStreamEvent;
import com.openai.models.responses.ToolChoiceOptions;
import java.util.List;

/** OpenAI's own library for Java. */
final class OpenAiJavaCases implements AutoCloseable {
    private static final String CLIENT = "openai-java 4.101.0";
    private static final String CHAT = "/v1/chat/completions";
    private static final String RESPONSES = "/v1/responses";
    private static final String QUESTION = "What is a worker?";

    private final TestPool pool;
    private final String model;
    private final OpenAIClient openAi;

    /** What it makes a schema of. */
    public static final class Judgement {
        public boolean good;
        public long points;
    }

    /** What it makes a function of. */
    public static final class AddNumbers {
        public long first;
        public long second;
    }

    OpenAiJavaCases(TestPool pool) {
        this.pool = pool;
        this.model = pool.model().substring(0, pool.model().indexOf('@'));
        this.openAi =
                OpenAIOkHttpClient.builder()
                        .baseUrl("http://" + pool.address() + "/v1")
                        .apiKey("any")
                        .maxRetries(0)
                        .build();
    }

    List<ClientCase> all() {
        return List.of(
                of("/v1/models", this::findsModels, "list, retrieve"),
                of("/v1/embeddings", this::embeds, "input", "several inputs"),
                of("/v1/completions", this::completes, "prompt, stop, logprobs"),
                of(RESPONSES, this::responds, "input, instructions", "previous_response_id"),
                of(RESPONSES, this::streamsEvents, "stream"),
                of(RESPONSES, this::respondsWithCalls, "tools", "function_call_output"),
                of(RESPONSES, this::streamsCallsAsEvents, "tools, streamed"),
                of(CHAT, this::chats, "messages, usage", "n", "seed", "logprobs"),
                of(CHAT, this::streams, "stream", "stream_options"),
                of(CHAT, this::stops, "stop"),
                of(CHAT, this::fillsAClass, "response_format: json_schema"),
                of(CHAT, this::hearsErrors, "errors"),
                of(CHAT, this::hangsUp, "hanging up"),
                of(CHAT, this::calls, "tools", "tool_choice: required", "role: tool"),
                of(CHAT, this::callsByName, "tool_choice: a function", "parallel_tool_calls"),
                of(CHAT, this::streamsCalls, "tools, streamed"));
    }

    private static ClientCase of(String endpoint, ClientCase.Check check, String... shows) {
        return new ClientCase(CLIENT, endpoint, List.of(shows), check);
    }

    @Override
    public void close() {
        openAi.close();
    }

    private ChatCompletionCreateParams.Builder ask() {
        return ChatCompletionCreateParams.builder()
                .model(model)
                .addUserMessage(QUESTION)
                .temperature(0.0)
                .maxCompletionTokens(24);
    }

    private ChatCompletion answer(ChatCompletionCreateParams.Builder asked) {
        return openAi.chat().completions().create(asked.build());
    }

    private static String text(ChatCompletion answer) {
        return answer.choices().getFirst().message().content().orElseThrow();
    }

    private void findsModels() {
        assertThat(openAi.models().list().data().getFirst().id()).isEqualTo(pool.model());
        assertThat(openAi.models().retrieve(model).id()).isEqualTo(pool.model());
    }

    private void embeds() {
        EmbeddingCreateParams.Builder asked = EmbeddingCreateParams.builder().model(model);
        List<Embedding> two =
                openAi.embeddings()
                        .create(asked.inputOfArrayOfStrings(List.of(QUESTION, "A tide.")).build())
                        .data();
        List<Float> one =
                openAi.embeddings()
                        .create(asked.input(QUESTION).build())
                        .data()
                        .getFirst()
                        .embedding();
        assertThat(two).hasSize(2);
        assertThat(one).hasSameSizeAs(two.getLast().embedding());
        assertThat(product(one, two.getFirst().embedding())).isGreaterThan(0.999);
        assertThat(product(one, two.getLast().embedding())).isLessThan(0.99);
    }

    private static double product(List<Float> one, List<Float> other) {
        double sum = 0;
        for (int i = 0; i < one.size(); i++) {
            sum += (double) one.get(i) * other.get(i);
        }
        return sum;
    }

    private void completes() {
        CompletionCreateParams.Builder asked =
                CompletionCreateParams.builder()
                        .model(model)
                        .prompt("A worker is")
                        .temperature(0.0)
                        .maxTokens(16)
                        .logprobs(1L);
        var whole = openAi.completions().create(asked.build()).choices().getFirst();
        assertThat(whole.logprobs().orElseThrow().tokens().orElseThrow()).isNotEmpty();
        String stop = whole.text().substring(3, 6);
        var stopped = openAi.completions().create(asked.stop(stop).build()).choices().getFirst();
        assertThat(stopped.text()).isEqualTo(whole.text().substring(0, whole.text().indexOf(stop)));
    }

    private ResponseCreateParams.Builder respond() {
        return ResponseCreateParams.builder()
                .model(model)
                .input(QUESTION)
                .temperature(0.0)
                .maxOutputTokens(24);
    }

    private static String text(Response response) {
        return response.output().getFirst().asMessage().content().getFirst().asOutputText().text();
    }

    private void responds() {
        Response first = openAi.responses().create(respond().instructions("Be kind.").build());
        assertThat(text(first)).isNotBlank();
        assertThat(first.usage().orElseThrow().inputTokens()).isPositive();
        Response next = openAi.responses().create(respond().previousResponseId(first.id()).build());
        assertThat(next.usage().orElseThrow().inputTokens())
                .isGreaterThan(first.usage().orElseThrow().outputTokens());
        assertThat(openAi.responses().retrieve(next.id()).previousResponseId())
                .contains(first.id());
    }

    private void streamsEvents() {
        ResponseAccumulator whole = ResponseAccumulator.create();
        StringBuilder deltas = new StringBuilder();
        try (StreamResponse<ResponseStreamEvent> stream =
                openAi.responses().createStreaming(respond().build())) {
            stream.stream()
                    .peek(whole::accumulate)
                    .forEach(event ->
                            event.outputTextDelta().ifPresent(more -> deltas.append(more.delta())));
        }
        assertThat(deltas).hasToString(text(whole.response())).isNotBlank();
    }

    private ResponseCreateParams.Builder respondByAdding() {
        return respond()
                .maxOutputTokens(160)
                .addTool(AddNumbers.class)
                .toolChoice(ToolChoiceOptions.REQUIRED)
                .parallelToolCalls(false);
    }

    private void respondsWithCalls() {
        Response first = openAi.responses().create(respondByAdding().build());
        ResponseFunctionToolCall call = first.output().getFirst().asFunctionCall();
        AddNumbers numbers = call.arguments(AddNumbers.class);
        var sum =
                ResponseInputItem.FunctionCallOutput.builder()
                        .callId(call.callId())
                        .output("" + (numbers.first + numbers.second))
                        .build();
        ResponseCreateParams.Builder next =
                respond()
                        .previousResponseId(first.id())
                        .inputOfResponse(List.of(ResponseInputItem.ofFunctionCallOutput(sum)));
        assertThat(text(openAi.responses().create(next.build()))).isNotBlank();
    }

    private void streamsCallsAsEvents() {
        ResponseAccumulator whole = ResponseAccumulator.create();
        StringBuilder deltas = new StringBuilder();
        try (StreamResponse<ResponseStreamEvent> stream =
                openAi.responses().createStreaming(respondByAdding().build())) {
            stream.stream()
                    .peek(whole::accumulate)
                    .forEach(event ->
                            event.functionCallArgumentsDelta()
                                    .ifPresent(more -> deltas.append(more.delta())));
        }
        ResponseFunctionToolCall call = whole.response().output().getFirst().asFunctionCall();
        assertThat(call.arguments(AddNumbers.class)).isNotNull();
        assertThat(call.arguments()).isEqualTo(deltas.toString());
    }

    @SuppressWarnings("deprecation") // seed: OpenAI has grown tired of it, users have not
    private void chats() {
        ChatCompletion answer = answer(ask().n(2).logprobs(true).seed(5));
        assertThat(answer.choices()).hasSize(2);
        assertThat(text(answer)).isNotBlank();
        assertThat(answer.choices().getFirst().logprobs().orElseThrow().content().orElseThrow())
                .isNotEmpty();
        assertThat(answer.usage().orElseThrow().promptTokens()).isPositive();
        ChatCompletionCreateParams.Builder chance = ask().temperature(1.0).seed(7);
        assertThat(text(answer(chance))).isEqualTo(text(answer(chance)));
    }

    private void streams() {
        ChatCompletion whole = answer(ask());
        StringBuilder text = new StringBuilder();
        long tokens;
        ChatCompletionStreamOptions usage =
                ChatCompletionStreamOptions.builder().includeUsage(true).build();
        try (StreamResponse<ChatCompletionChunk> stream =
                openAi.chat().completions().createStreaming(ask().streamOptions(usage).build())) {
            List<ChatCompletionChunk> chunks = stream.stream().toList();
            chunks.forEach(chunk ->
                    chunk.choices()
                            .forEach(choice -> choice.delta().content().ifPresent(text::append)));
            tokens = chunks.getLast().usage().orElseThrow().completionTokens();
        }
        assertThat(text).hasToString(text(whole));
        assertThat(tokens).isEqualTo(whole.usage().orElseThrow().completionTokens());
    }

    private void stops() {
        String text = text(answer(ask()));
        String stop = text.substring(text.length() / 2, text.length() / 2 + 3);
        ChatCompletion stopped = answer(ask().stop(stop));
        assertThat(text(stopped)).isEqualTo(text.substring(0, text.indexOf(stop)));
        assertThat(stopped.choices().getFirst().finishReason())
                .isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
    }

    private void fillsAClass() {
        var asked = ask().maxCompletionTokens(200).responseFormat(Judgement.class).build();
        var answer = openAi.chat().completions().create(asked);
        assertThat(answer.choices().getFirst().message().content()).isPresent();
    }

    private void hearsErrors() {
        assertThatThrownBy(() -> answer(ask().model("gpt-9")))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("404");
        assertThatThrownBy(() -> answer(ask().temperature(9.0)))
                .isInstanceOfSatisfying(
                        BadRequestException.class,
                        refused -> assertThat(refused.param()).contains("temperature"));
        assertThatThrownBy(() -> answer(ask().addUserMessage("word ".repeat(2_000))))
                .isInstanceOfSatisfying(
                        BadRequestException.class,
                        refused -> assertThat(refused.code()).contains("context_length_exceeded"));
    }

    private void hangsUp() throws Exception {
        ChatCompletionCreateParams longAnswers = ask().n(8).maxCompletionTokens(400).build();
        HungUp.isNoticed(
                pool,
                () -> {
                    try (StreamResponse<ChatCompletionChunk> stream =
                            openAi.chat().completions().createStreaming(longAnswers)) {
                        assertThat(stream.stream().limit(3)).hasSize(3);
                    }
                });
    }

    private ChatCompletionCreateParams.Builder askToAdd() {
        return askFor(AddNumbers.class).toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED);
    }

    private ChatCompletionCreateParams.Builder askFor(Class<?> function) {
        return ask().maxCompletionTokens(160).addTool(function).parallelToolCalls(false);
    }

    private static ChatCompletionMessageFunctionToolCall onlyCall(ChatCompletion answer) {
        ChatCompletion.Choice choice = answer.choices().getFirst();
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
        assertThat(choice.message().toolCalls().orElseThrow()).hasSize(1);
        return choice.message().toolCalls().orElseThrow().getFirst().asFunction();
    }

    private void calls() {
        ChatCompletion answer = answer(askToAdd());
        var call = onlyCall(answer);
        AddNumbers numbers = call.function().arguments(AddNumbers.class);
        ChatCompletion last =
                answer(
                        ask().addTool(AddNumbers.class)
                                .addMessage(answer.choices().getFirst().message())
                                .addMessage(
                                        ChatCompletionToolMessageParam.builder()
                                                .toolCallId(call.id())
                                                .content("" + (numbers.first + numbers.second))
                                                .build()));
        assertThat(text(last)).isNotBlank();
    }

    private void callsByName() {
        ChatCompletionNamedToolChoice named =
                ChatCompletionNamedToolChoice.builder()
                        .function(
                                ChatCompletionNamedToolChoice.Function.builder()
                                        .name("Judgement")
                                        .build())
                        .build();
        var call = onlyCall(answer(askFor(Judgement.class).toolChoice(named)));
        assertThat(call.function().name()).isEqualTo("Judgement");
        assertThat(call.function().arguments(Judgement.class)).isNotNull();
    }

    private void streamsCalls() {
        ChatCompletionAccumulator whole = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                openAi.chat().completions().createStreaming(askToAdd().build())) {
            stream.stream().forEach(whole::accumulate);
        }
        var call = onlyCall(whole.chatCompletion());
        assertThat(call.id()).isNotBlank();
        assertThat(call.function().arguments(AddNumbers.class)).isNotNull();
    }
}
