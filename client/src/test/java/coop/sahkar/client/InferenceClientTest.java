package coop.sahkar.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.http.OpenAiProvider;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.ProblemCode;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
class InferenceClientTest {
    private static final InferenceRequest QUESTION = InferenceRequest.ask("tiny", "Who are you?");

    @Test
    void completesAnAnswer() throws IOException {
        try (FakePool pool = FakePool.saying("I", " am", " tiny.");
                InferenceClient client = InferenceClient.connect(pool.address())) {
            Completion answer = client.complete(QUESTION);

            assertThat(answer.text()).isEqualTo("I am tiny.");
            assertThat(answer.finishReason()).isEqualTo(Completion.FinishReason.LENGTH);
            assertThat(answer.usage()).isEqualTo(new Completion.Usage(4, 3));
            assertThat(answer.timings().firstToken()).isEqualTo(Duration.ofNanos(1_500_000));
            assertThat(answer.tokensPerSecond()).isEqualTo(1.0);
            assertThat(answer.answering().modelId()).isEqualTo("tiny@00");
            assertThat(answer.answering().route()).hasSize(1);
        }
    }

    @Test
    void sendsEveryOption() throws IOException {
        GenerationOptions options =
                GenerationOptions.builder()
                        .maxTokens(9)
                        .stop("a", "b")
                        .temperature(0.5)
                        .topK(3)
                        .topP(0.25)
                        .minP(0.125)
                        .typicalP(0.75)
                        .repetitionPenalty(1.5)
                        .frequencyPenalty(0.5)
                        .presencePenalty(0.25)
                        .penaltyWindow(-1)
                        .logitBias(Map.of(5, 2f))
                        .seed(42)
                        .build();
        try (FakePool pool = FakePool.saying("x");
                InferenceClient client = InferenceClient.connect(pool.address())) {
            client.complete(InferenceRequest.prompt("tiny", "Once").with(options));

            GenerateRequest asked = pool.asked.getFirst();
            assertThat(asked.getPrompt()).isEqualTo("Once");
            assertThat(asked.getMaxTokens()).isEqualTo(9);
            assertThat(asked.getStopList()).containsExactly("a", "b");
            var sampling = asked.getSampling();
            assertThat(sampling.getTemperature()).isEqualTo(0.5f);
            assertThat(sampling.getTopK()).isEqualTo(3);
            assertThat(sampling.getTopP()).isEqualTo(0.25f);
            assertThat(sampling.getMinP()).isEqualTo(0.125f);
            assertThat(sampling.getTypicalP()).isEqualTo(0.75f);
            assertThat(sampling.getRepetitionPenalty()).isEqualTo(1.5f);
            assertThat(sampling.getFrequencyPenalty()).isEqualTo(0.5f);
            assertThat(sampling.getPresencePenalty()).isEqualTo(0.25f);
            assertThat(sampling.getPenaltyWindow()).isEqualTo(-1);
            assertThat(sampling.getLogitBiasMap()).isEqualTo(Map.of(5, 2f));
            assertThat(sampling.getSeed()).isEqualTo(42);
        }
    }

    @Test
    void sendsToolsAndWhatTheySaidAndReadsCallsOutOfTheText() throws IOException {
        ToolCall before = new ToolCall("call_1", "look", "{\"at\":\"sky\"}");
        InferenceRequest request =
                InferenceRequest.chat(
                                "tiny",
                                List.of(
                                        ChatMessage.user("Look."),
                                        ChatMessage.assistant("", List.of(before)),
                                        ChatMessage.tool("call_1", "blue")))
                        .with(List.of(new Tool("look", "Looks.", "{\"type\":\"object\"}")));
        String[] said = {
            "Again.",
            "\n<tool",
            "_call>\n{\"name\": \"look\", \"argu",
            "ments\": {\"at\": \"s",
            "ea\"}}\n</tool_call>",
            "<to"
        };
        try (FakePool pool = FakePool.saying(FakePool.finishedByItself(6), said);
                InferenceClient client = InferenceClient.connect(pool.address())) {
            Completion answer = client.complete(request);

            Chat asked = pool.asked.getFirst().getChat();
            assertThat(asked.getTools(0).getName()).isEqualTo("look");
            assertThat(asked.getTools(0).getParameters()).isEqualTo("{\"type\":\"object\"}");
            assertThat(asked.getMessages(1).getCalls(0).getArguments())
                    .isEqualTo("{\"at\":\"sky\"}");
            assertThat(asked.getMessages(2).getCallId()).isEqualTo("call_1");
            assertThat(answer.text()).isEqualTo("Again.<to");
            assertThat(answer.finishReason()).isEqualTo(Completion.FinishReason.TOOL_CALLS);
            assertThat(answer.toolCalls())
                    .containsExactly(new ToolCall("call_r1_0", "look", "{\"at\": \"sea\"}"));
        }
    }

    @Test
    void sendsTheFormOfTheAnswer() throws IOException {
        try (FakePool pool = FakePool.saying("{}");
                InferenceClient client = InferenceClient.connect(pool.address())) {
            client.complete(QUESTION.with(new AnswerFormat.JsonObject()));
            client.complete(QUESTION.with(new AnswerFormat.JsonSchema("s", "{\"type\":\"null\"}")));
            client.complete(QUESTION);

            assertThat(pool.asked)
                    .extracting(GenerateRequest::getJsonObject)
                    .containsExactly(true, false, false);
            assertThat(pool.asked)
                    .extracting(GenerateRequest::getJsonSchema)
                    .containsExactly("", "{\"type\":\"null\"}", "");
        }
    }

    @Test
    void tokensAreCountedByWhoeverHasTheModelAndElseGuessed() throws IOException {
        try (FakePool pool = FakePool.saying("x");
                InferenceClient client = InferenceClient.connect(pool.address());
                InferenceClient other =
                        InferenceClient.builder()
                                .providers(OpenAiProvider.at("http://127.0.0.1:9/v1").build())
                                .build()) {
            InferenceRequest request = InferenceRequest.prompt("tiny", "Once upon");
            assertThat(client.countTokens(request)).isEqualTo(9);
            assertThatThrownBy(() -> client.countTokens(InferenceRequest.prompt("tiny", "")))
                    .isInstanceOf(InferenceException.InvalidRequest.class);
            assertThat(other.countTokens(request)).isEqualTo(other.estimateTokens(request));
        }
    }

    @Test
    void streamsPiecesAsTheyCome() throws Exception {
        BlockingQueue<Runnable> goOn = new LinkedBlockingQueue<>();
        FakePool.Script script =
                (request, out) -> {
                    out.onNext(FakePool.started());
                    out.onNext(FakePool.delta(4, "first"));
                    goOn.add(() -> {
                        out.onNext(FakePool.delta(5, " second"));
                        out.onNext(FakePool.finished(2));
                        out.onCompleted();
                    });
                };
        try (FakePool pool = new FakePool(script);
                InferenceClient client = InferenceClient.connect(pool.address());
                TokenStream stream = client.stream(QUESTION)) {
            assertThat(stream.next()).isEqualTo(new TextPiece("first", 4, 1));
            assertThat(stream.answering()).isPresent();
            goOn.take().run();
            assertThat(stream.next().text()).isEqualTo(" second");
            assertThat(stream.hasNext()).isFalse();
            assertThat(stream.completion().text()).isEqualTo("first second");
        }
    }

    @Test
    void aLongAnswerIsBoundedByItsReader() throws IOException {
        String[] words = new String[10_000];
        Arrays.fill(words, "w");
        try (FakePool pool = FakePool.saying(words);
                InferenceClient client = InferenceClient.connect(pool.address())) {
            assertThat(client.complete(QUESTION).text()).hasSize(10_000);
        }
    }

    @Test
    void tellsAListener() throws Exception {
        try (FakePool pool = FakePool.saying("a", "b");
                InferenceClient client = InferenceClient.connect(pool.address())) {
            Listener listener = new Listener();
            client.stream(QUESTION, listener);
            assertThat(listener.done.get(10, TimeUnit.SECONDS).text()).isEqualTo("ab");
            assertThat(listener.pieces).containsExactly("a", "b");
        }
    }

    @Test
    void cancellingReachesThePoolAndTheReader() throws Exception {
        try (FakePool pool = new FakePool((request, out) -> out.onNext(FakePool.started()));
                InferenceClient client = InferenceClient.connect(pool.address())) {
            Listener listener = new Listener();
            Runnable cancel = client.stream(QUESTION, listener);
            await().until(() -> pool.asked.size() == 1);
            cancel.run();

            assertThatThrownBy(() -> listener.done.get(10, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(InferenceException.Cancelled.class);
            await().until(() -> pool.cancelled.get() == 1);
        }
    }

    @Test
    void closingAnUnfinishedStreamCancelsIt() throws IOException {
        FakePool.Script script =
                (request, out) -> {
                    out.onNext(FakePool.started());
                    out.onNext(FakePool.delta(4, "one"));
                };
        try (FakePool pool = new FakePool(script);
                InferenceClient client = InferenceClient.connect(pool.address())) {
            try (TokenStream stream = client.stream(QUESTION)) {
                assertThat(stream.next().text()).isEqualTo("one");
            }
            await().until(() -> pool.cancelled.get() == 1);
        }
    }

    @Test
    void aDeadlineEndsTheWaitAndTheWork() throws IOException {
        GenerationOptions hasty =
                GenerationOptions.builder().timeout(Duration.ofMillis(200)).build();
        try (FakePool pool = new FakePool((request, out) -> out.onNext(FakePool.started()));
                InferenceClient client = InferenceClient.connect(pool.address())) {
            assertThatThrownBy(() -> client.complete(QUESTION.with(hasty)))
                    .isInstanceOf(InferenceException.DeadlineExceeded.class);
            await().until(() -> pool.cancelled.get() == 1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "INVALID_REQUEST, InvalidRequest",
        "MODEL_NOT_FOUND, ModelNotFound",
        "CONTEXT_LENGTH_EXCEEDED, ContextLengthExceeded",
        "OVERLOADED, Overloaded",
        "MODEL_INCOMPLETE, ModelIncomplete",
        "WORKER_LOST, Lost",
        "CANCELLED, Cancelled",
        "DEADLINE_EXCEEDED, DeadlineExceeded",
        "UNAUTHORIZED, Unauthorized",
        "PROTOCOL, PoolFault",
        "NOT_LEADER, PoolFault",
        "INTERNAL, PoolFault"
    })
    void everyKindOfFailureHasItsType(Problem.Kind kind, String type) throws IOException {
        ProblemCode code = ProblemCode.valueOf("PROBLEM_CODE_" + kind);
        FakePool.Script script =
                (request, out) -> {
                    out.onNext(FakePool.failed(code, "messages[0].role", 1500));
                    out.onCompleted();
                };
        try (FakePool pool = new FakePool(script);
                InferenceClient client = InferenceClient.connect(pool.address())) {
            InferenceException failure =
                    catchThrowableOfType(InferenceException.class, () -> client.complete(QUESTION));
            assertThat(failure.getClass().getSimpleName()).isEqualTo(type);
            assertThat(failure).hasMessage("said so");
            assertThat(failure.kind()).contains(kind);
            assertThat(failure.field()).isEqualTo("messages[0].role");
            assertThat(failure.retryAfter()).contains(Duration.ofMillis(1500));
            assertThat(failure.retryable()).isEqualTo(kind.retryable());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "INVALID_ARGUMENT, INVALID_REQUEST",
        "NOT_FOUND, MODEL_NOT_FOUND",
        "RESOURCE_EXHAUSTED, OVERLOADED",
        "UNAUTHENTICATED, UNAUTHORIZED",
        "UNIMPLEMENTED, PROTOCOL",
        "INTERNAL, INTERNAL"
    })
    void aCallThatEndsBadlyHasItsKind(Status.Code code, Problem.Kind kind) throws IOException {
        FakePool.Script script =
                (request, out) -> out.onError(code.toStatus().withDescription("why").asException());
        try (FakePool pool = new FakePool(script);
                InferenceClient client = InferenceClient.connect(pool.address())) {
            InferenceException failure =
                    catchThrowableOfType(InferenceException.class, () -> client.complete(QUESTION));
            assertThat(failure.kind()).contains(kind);
            assertThat(failure).message().isNotBlank();
        }
    }

    @Test
    void aCoordinatorLostInMidAnswerIsNotAskedElsewhere() throws IOException {
        FakePool.Script breaks =
                (request, out) -> {
                    out.onNext(FakePool.started());
                    out.onNext(FakePool.delta(4, "half"));
                    out.onError(Status.UNAVAILABLE.asException());
                };
        try (FakePool first = new FakePool(breaks);
                FakePool second = FakePool.saying("other");
                InferenceClient client =
                        InferenceClient.connect(first.address(), second.address());
                TokenStream stream = client.stream(QUESTION)) {
            assertThat(stream.next().text()).isEqualTo("half");
            assertThatThrownBy(stream::hasNext).isInstanceOf(InferenceException.Lost.class);
            assertThat(stream.textSoFar()).isEqualTo("half");
            assertThat(second.asked).isEmpty();
        }
    }

    @Test
    void anEndWithoutAWordIsAFailure() throws IOException {
        try (FakePool pool = new FakePool((request, out) -> out.onCompleted());
                InferenceClient client = InferenceClient.connect(pool.address())) {
            assertThatThrownBy(() -> client.complete(QUESTION))
                    .isInstanceOf(InferenceException.PoolFault.class)
                    .hasMessageContaining("without saying how");
        }
    }

    @Test
    void nobodyThere() throws IOException {
        String address = "127.0.0.1:" + unusedPort();
        try (InferenceClient client = InferenceClient.connect(address)) {
            assertThatThrownBy(() -> client.complete(QUESTION))
                    .isInstanceOf(InferenceException.Unreachable.class)
                    .hasMessageContaining(address);
            assertThatThrownBy(client::models)
                    .isInstanceOf(InferenceException.Unreachable.class)
                    .hasMessageContaining(address);
        }
    }

    @Test
    void theSecondCoordinatorAnswersAndIsAskedFirstFromThenOn() throws IOException {
        try (FakePool second = FakePool.saying("here");
                InferenceClient client =
                        InferenceClient.connect("127.0.0.1:" + unusedPort(), second.address())) {
            assertThat(client.complete(QUESTION).text()).isEqualTo("here");
            assertThat(client.complete(QUESTION).text()).isEqualTo("here");
            assertThat(client.models()).hasSize(1);
            assertThat(second.asked).hasSize(2);
        }
    }

    @Test
    void aCoordinatorThatDoesNotLeadIsPassedOver() throws IOException {
        FakePool.Script follower =
                (request, out) -> {
                    out.onNext(FakePool.failed(ProblemCode.PROBLEM_CODE_NOT_LEADER, "", 0));
                    out.onCompleted();
                };
        try (FakePool first = new FakePool(follower);
                FakePool second = FakePool.saying("here");
                InferenceClient client =
                        InferenceClient.connect(first.address(), second.address())) {
            assertThat(client.complete(QUESTION).text()).isEqualTo("here");
        }
    }

    @Test
    void listsModels() throws IOException {
        try (FakePool pool = FakePool.saying();
                InferenceClient client = InferenceClient.connect(pool.address())) {
            ModelInfo model = client.models().getFirst();
            assertThat(model.id()).isEqualTo("tiny@00");
            assertThat(model.ready()).isFalse();
            assertThat(model.missing()).containsExactly(new Span(2, 4));
            assertThat(model.explanation()).isEqualTo("No worker serves blocks 2 and 3.");
        }
    }

    private static int unusedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static final class Listener implements GenerationListener {
        final List<String> pieces = new ArrayList<>();
        final CompletableFuture<Completion> done = new CompletableFuture<>();

        @Override
        public void piece(TextPiece piece) {
            pieces.add(piece.text());
        }

        @Override
        public void completed(Completion completion) {
            done.complete(completion);
        }

        @Override
        public void failed(InferenceException failure) {
            done.completeExceptionally(failure);
        }
    }
}
