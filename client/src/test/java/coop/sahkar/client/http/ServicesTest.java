package coop.sahkar.client.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.client.AnswerFormat;
import coop.sahkar.client.AnswerPublisher;
import coop.sahkar.client.ChatMessage;
import coop.sahkar.client.ClientListener;
import coop.sahkar.client.Completion;
import coop.sahkar.client.Completion.FinishReason;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceException;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.TextPiece;
import coop.sahkar.client.Tool;
import coop.sahkar.client.ToolCall;
import coop.sahkar.client.http.FakeService.Script;
import coop.sahkar.client.provider.Allowance;
import coop.sahkar.client.provider.Feature;
import coop.sahkar.client.provider.Provider;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is sent to services, and what is made of their answers. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ServicesTest {
    private static final InferenceRequest QUESTION = InferenceRequest.ask("m", "Who?");

    @Test
    void openAiIsSentEveryOptionItTakes() throws IOException {
        InferenceRequest request = withEverything();
        try (FakeService service = new FakeService(FakeService.saying("x"));
                InferenceClient client =
                        client(
                                OpenAiProvider.at(service.url())
                                        .key("secret")
                                        .header("x-extra", "1")
                                        .lengthName("max_completion_tokens")
                                        .takes("top_k")
                                        .features(
                                                Feature.CHAT,
                                                Feature.TOOLS,
                                                Feature.VISION,
                                                Feature.JSON_SCHEMA)
                                        .build())) {
            client.complete(request);
            FakeService.Asked asked = service.asked.getFirst();
            assertThat(asked.path()).isEqualTo("/v1/chat/completions");
            assertThat(asked.head())
                    .containsIgnoringCase("authorization: Bearer secret")
                    .containsIgnoringCase("x-extra: 1")
                    .doesNotContainIgnoringCase("upgrade");
            assertThat(asked.body())
                    .contains(
                            "\"model\":\"m\"",
                            "{\"role\":\"system\",\"content\":\"Be brief.\"}",
                            "\"image_url\"",
                            "\"tool_call_id\":\"1\"",
                            "\"stream\":true",
                            "\"include_usage\":true",
                            "\"max_completion_tokens\":9",
                            "\"temperature\":0.5",
                            "\"top_p\":0.25",
                            "\"top_k\":3",
                            "\"seed\":42",
                            "\"stop\":[\"END\"]",
                            "\"strict\":true",
                            "\"schema\":{\"type\":\"object\"}");
        }
    }

    private static InferenceRequest withEverything() {
        GenerationOptions options =
                GenerationOptions.builder()
                        .maxTokens(9)
                        .stop("END")
                        .temperature(0.5)
                        .topP(0.25)
                        .topK(3)
                        .seed(42)
                        .build();
        return InferenceRequest.chat(
                        "m",
                        List.of(
                                ChatMessage.system("Be brief."),
                                ChatMessage.user("What?", List.of("https://x/i.png")),
                                ChatMessage.assistant("", List.of(new ToolCall("1", "f", "{}"))),
                                ChatMessage.tool("1", "42")))
                .with(options)
                .with(List.of(new Tool("f", "does", "{\"type\":\"object\"}")))
                .with(new AnswerFormat.JsonSchema("s", "{\"type\":\"object\"}"));
    }

    @Test
    void whatAServiceDoesNotTakeIsRefusedByName() throws IOException {
        InferenceRequest request =
                QUESTION.with(GenerationOptions.builder().topK(5).minP(0.1).build());
        try (FakeService service = new FakeService(FakeService.saying("x"));
                InferenceClient client = client(OpenAiProvider.at(service.url()).build())) {
            assertThatThrownBy(() -> client.complete(request))
                    .isInstanceOf(InferenceException.InvalidRequest.class)
                    .hasMessageContaining("does not take min_p, top_k");
            assertThat(service.asked).isEmpty();
        }
    }

    @Test
    void toolCallsComeWhole() throws IOException {
        Script script =
                x ->
                        x.stream()
                                .send(
                                        delta(
                                                "{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\"\"}}]}"))
                                .send(
                                        delta(
                                                "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]}"))
                                .send(
                                        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n");
        try (FakeService service = new FakeService(script);
                InferenceClient client = client(OpenAiProvider.at(service.url()).build())) {
            Completion answer = client.complete(QUESTION);
            assertThat(answer.finishReason()).isEqualTo(FinishReason.TOOL_CALLS);
            assertThat(answer.toolCalls()).containsExactly(new ToolCall("a", "f", "{\"x\":1}"));
            assertThat(answer.usage().estimated()).isTrue();
        }
    }

    private static String delta(String delta) {
        return "data: {\"choices\":[{\"delta\":%s}]}\n\n".formatted(delta);
    }

    @Test
    void anAnswerInOnePieceIsOneToo() throws IOException {
        String body =
                "{\"id\":\"c\",\"model\":\"m2\",\"choices\":[{\"message\":{\"content\":\"all\"},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}";
        try (FakeService service =
                        new FakeService(x -> x.head(200, "application/json").send(body));
                InferenceClient client = client(OpenAiProvider.at(service.url()).build())) {
            Completion answer = client.complete(QUESTION);
            assertThat(answer.text()).isEqualTo("all");
            assertThat(answer.finishReason()).isEqualTo(FinishReason.LENGTH);
            assertThat(answer.usage()).isEqualTo(new Completion.Usage(3, 4));
            assertThat(answer.answering().modelId()).isEqualTo("m2");
        }
    }

    @Test
    void anthropicIsAskedAndReadInItsOwnForm() throws IOException {
        Script script =
                x ->
                        x.stream()
                                .send(
                                        """
                                        event: message_start
                                        data: {"type":"message_start","message":{"id":"m1","model":"claude","usage":{"input_tokens":11}}}

                                        event: ping
                                        data: {"type":"ping"}

                                        event: content_block_delta
                                        data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hel"}}

                                        event: content_block_delta
                                        data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"lo"}}

                                        event: content_block_start
                                        data: {"type":"content_block_start","content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}

                                        event: content_block_delta
                                        data: {"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{}"}}

                                        event: message_delta
                                        data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}}

                                        event: message_stop
                                        data: {"type":"message_stop"}

                                        """);
        InferenceRequest request =
                InferenceRequest.chat(
                                "claude",
                                List.of(ChatMessage.system("Brief."), ChatMessage.user("Hi")))
                        .with(List.of(new Tool("f", "does", "{\"type\":\"object\"}")));
        try (FakeService service = new FakeService(script);
                InferenceClient client =
                        client(AnthropicProvider.at(service.url()).key("secret").build())) {
            Completion answer = client.complete(request);
            assertThat(answer.text()).isEqualTo("Hello");
            assertThat(answer.usage()).isEqualTo(new Completion.Usage(11, 5));
            assertThat(answer.toolCalls()).containsExactly(new ToolCall("t", "f", "{}"));
            FakeService.Asked asked = service.asked.getFirst();
            assertThat(asked.path()).isEqualTo("/v1/messages");
            assertThat(asked.head())
                    .containsIgnoringCase("x-api-key: secret")
                    .containsIgnoringCase("anthropic-version: 2023-06-01");
            assertThat(asked.body())
                    .contains(
                            "\"system\":\"Brief.\"",
                            "\"max_tokens\":2048",
                            "\"input_schema\":{\"type\":\"object\"}")
                    .doesNotContain("\"role\":\"system\"");
        }
    }

    @Test
    void anthropicsOverloadInAStreamIsOne() throws IOException {
        Script script =
                x ->
                        x.stream()
                                .send(
                                        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n");
        try (FakeService service = new FakeService(script);
                InferenceClient client = client(AnthropicProvider.at(service.url()).build())) {
            assertThatThrownBy(() ->
                            client.under(coop.sahkar.client.routing.Policy.ONCE).complete(QUESTION))
                    .isInstanceOf(InferenceException.Overloaded.class);
        }
    }

    @Test
    void modelsAreListed() throws IOException {
        try (FakeService service =
                        new FakeService(
                                x ->
                                        x.head(200, "application/json")
                                                .send("{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}]}"),
                                FakeService.refusing(401, "{\"error\":{\"message\":\"no\"}}"));
                Provider provider = OpenAiProvider.at(service.url()).build()) {
            assertThat(provider.modelNames()).containsExactly("a", "b");
            assertThatThrownBy(provider::modelNames)
                    .isInstanceOf(InferenceException.Unauthorized.class);
        }
    }

    @Test
    void limitsOfAProviderAreNotHit() throws IOException {
        try (FakeService first = new FakeService(FakeService.saying("first"));
                FakeService second = new FakeService(FakeService.saying("second"));
                InferenceClient client =
                        client(
                                OpenAiProvider.at(first.url())
                                        .name("first")
                                        .allowance(Allowance.requests(2, 0))
                                        .build(),
                                OpenAiProvider.at(second.url()).name("second").build())) {
            List<String> texts = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                texts.add(client.complete(QUESTION).text());
            }
            assertThat(texts).containsExactly("first", "first", "second", "second");
            assertThat(first.asked).hasSize(2);
        }
    }

    @Test
    void aListenerHearsEveryAttemptAndNoText() throws IOException {
        List<String> heard = new ArrayList<>();
        ClientListener listener =
                new ClientListener() {
                    @Override
                    public void asked(String provider, String model) {
                        heard.add("asked " + provider);
                    }

                    @Override
                    public void ended(Attempt attempt) {
                        heard.add(
                                attempt.provider()
                                        + attempt.failure().map(k -> " " + k).orElse(" done"));
                    }
                };
        try (FakeService first = new FakeService(FakeService.refusing(401, "{}"));
                FakeService second = new FakeService(FakeService.saying("x"));
                InferenceClient client =
                        InferenceClient.builder()
                                .providers(
                                        OpenAiProvider.at(first.url()).name("a").build(),
                                        OpenAiProvider.at(second.url()).name("b").build())
                                .listener(listener)
                                .build()) {
            client.complete(QUESTION);
            assertThat(heard).containsExactly("asked a", "a AUTH", "asked b", "b done");
        }
    }

    @Test
    void aPublisherGivesNoMoreThanIsRequested() throws Exception {
        try (FakeService service = new FakeService(FakeService.saying("a", "b", "c"));
                InferenceClient client = client(OpenAiProvider.at(service.url()).build())) {
            AnswerPublisher answer = client.publish(QUESTION);
            Slow subscriber = new Slow();
            answer.subscribe(subscriber);
            assertThat(subscriber.pieces.take()).isEqualTo("a");
            subscriber.subscription().request(2);
            assertThat(subscriber.pieces.take()).isEqualTo("b");
            assertThat(subscriber.pieces.take()).isEqualTo("c");
            subscriber.done.get(20, TimeUnit.SECONDS);
            assertThat(answer.completion().toCompletableFuture().get().text()).isEqualTo("abc");
        }
    }

    /** Requests one piece at first. */
    private static final class Slow implements Flow.Subscriber<TextPiece> {
        final java.util.concurrent.BlockingQueue<String> pieces =
                new java.util.concurrent.LinkedBlockingQueue<>();
        final CompletableFuture<String> done = new CompletableFuture<>();
        private Flow.@Nullable Subscription subscription;

        Flow.Subscription subscription() {
            return java.util.Objects.requireNonNull(subscription);
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            given.request(1);
        }

        @Override
        public void onNext(TextPiece piece) {
            pieces.add(piece.text());
        }

        @Override
        public void onError(Throwable failure) {
            done.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            done.complete("");
        }
    }

    private static InferenceClient client(Provider... providers) {
        return InferenceClient.builder().providers(providers).build();
    }
}
