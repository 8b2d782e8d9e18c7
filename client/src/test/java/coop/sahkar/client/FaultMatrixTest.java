package coop.sahkar.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import coop.sahkar.client.http.AnthropicProvider;
import coop.sahkar.client.http.FakeService;
import coop.sahkar.client.http.OpenAiProvider;
import coop.sahkar.client.pool.PoolProvider;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.client.provider.Offer;
import coop.sahkar.client.provider.Patience;
import coop.sahkar.client.provider.Provider;
import coop.sahkar.client.routing.Policy;
import coop.sahkar.proto.v1.ProblemCode;
import io.grpc.Status;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What goes wrong at a first provider of each kind, and what the caller sees who has a second one:
 * Anthropic's API and the pool here, OpenAI's in {@code FaultTest}. Never a token twice.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class FaultMatrixTest {
    private static final InferenceRequest QUESTION = InferenceRequest.ask("m", "Who are you?");
    private static final Duration SILENCE = Duration.ofMillis(400);

    /** Beyond what patience and back-off add up to, for a busy machine. */
    private static final Duration SLACK = Duration.ofSeconds(5);

    private static final Policy QUICK =
            Policy.FALLBACK.retries(1).backoff(Duration.ofMillis(20)).waitAtMost(SLACK);

    /** A first provider, and what belongs to it. */
    record First(Provider provider, Closeable service) implements Closeable {
        @Override
        public void close() throws IOException {
            service.close();
        }
    }

    /** Makes one. */
    interface Maker {
        First make() throws IOException;
    }

    private static Maker anthropic(FakeService.Script script) {
        return () -> {
            FakeService service = new FakeService(script);
            return new First(anthropicAt(service.url()), service::close);
        };
    }

    private static Provider anthropicAt(String url) {
        return AnthropicProvider.at(url)
                .name("first")
                .key("secret")
                .patience(new Patience(SLACK, SILENCE, SILENCE))
                .build();
    }

    private static Maker pool(FakePool.Script script) {
        return () -> {
            FakePool pool = new FakePool(script);
            return new First(poolAt(pool.address()), pool::close);
        };
    }

    private static Provider poolAt(String address) {
        return PoolProvider.at(address).offering(Offer.of("m"));
    }

    private static String nowhere() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "http://127.0.0.1:" + socket.getLocalPort();
        }
    }

    private static String begun(String... texts) {
        StringBuilder said =
                new StringBuilder(
                        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"
                                + "{\"id\":\"m1\",\"model\":\"m\",\"usage\":{\"input_tokens\":3}}}\n\n");
        for (String text : texts) {
            said.append("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",")
                    .append("\"delta\":{\"type\":\"text_delta\",\"text\":\"")
                    .append(text)
                    .append("\"}}\n\n");
        }
        return said.toString();
    }

    private static String error(String type) {
        return "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"x\"}}".formatted(type);
    }

    static Stream<Arguments> beforeText() {
        String limit = error("rate_limit_error");
        return Stream.of(
                fault(
                        "anthropic: nobody listens",
                        () -> new First(anthropicAt(nowhere()), () -> {}),
                        FailureKind.NETWORK),
                fault(
                        "anthropic: 401",
                        anthropic(FakeService.refusing(401, error("authentication_error"))),
                        FailureKind.AUTH),
                fault(
                        "anthropic: 429",
                        anthropic(FakeService.refusing(429, limit, "retry-after: 30")),
                        FailureKind.RATE),
                fault(
                        "anthropic: 529",
                        anthropic(FakeService.refusing(529, error("overloaded_error"))),
                        FailureKind.OVERLOAD),
                fault(
                        "anthropic: 500",
                        anthropic(FakeService.refusing(500, "<html>")),
                        FailureKind.OVERLOAD),
                fault(
                        "anthropic: stalls before headers",
                        anthropic(FakeService.Exchange::stall),
                        FailureKind.TIMEOUT),
                fault(
                        "anthropic: stalls before text",
                        anthropic(x -> x.stream().send(begun()).stall()),
                        FailureKind.TIMEOUT),
                fault(
                        "anthropic: hangs up",
                        anthropic(FakeService.Exchange::hangUp),
                        FailureKind.NETWORK),
                fault(
                        "anthropic: garbage",
                        anthropic(x -> x.stream().send("data: {{{\n\n")),
                        FailureKind.BROKEN),
                fault(
                        "pool: nobody listens",
                        () -> new First(poolAt(nowhere()), () -> {}),
                        FailureKind.NETWORK),
                fault(
                        "pool: full",
                        pool((_, out) -> fail(out, ProblemCode.PROBLEM_CODE_OVERLOADED, 30_000)),
                        FailureKind.OVERLOAD),
                fault(
                        "pool: incomplete",
                        pool((_, out) -> fail(out, ProblemCode.PROBLEM_CODE_MODEL_INCOMPLETE, 0)),
                        FailureKind.OVERLOAD),
                fault(
                        "pool: ends without a word",
                        pool((_, out) -> out.onCompleted()),
                        FailureKind.BROKEN),
                fault(
                        "pool: hangs up",
                        pool((_, out) -> out.onError(Status.UNAVAILABLE.asRuntimeException())),
                        FailureKind.NETWORK));
    }

    private static void fail(
            io.grpc.stub.StreamObserver<coop.sahkar.proto.v1.GenerationEvent> out,
            ProblemCode code,
            int retryAfterMillis) {
        out.onNext(FakePool.failed(code, "", retryAfterMillis));
        out.onCompleted();
    }

    private static Arguments fault(String what, Maker first, FailureKind kind) {
        return Arguments.of(what, first, kind);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("beforeText")
    void theSecondAnswers(String what, Maker maker, FailureKind kind) throws IOException {
        long start = System.nanoTime();
        try (First first = maker.make();
                FakeService second = new FakeService(FakeService.saying("I", " am", " second."));
                InferenceClient client = client(QUICK, first, second)) {
            Completion answer = client.complete(QUESTION);
            assertThat(answer.text()).isEqualTo("I am second.");
            assertThat(answer.continued()).isFalse();
            assertThat(answer.tried()).isNotEmpty();
            assertThat(answer.tried())
                    .extracting(tried -> tried.failure().kind())
                    .containsOnly(kind);
            assertThat(second.asked).hasSize(1);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(SILENCE.plus(SLACK));
        }
    }

    static Stream<Arguments> inMidStream() {
        String half = begun("one", " two");
        return Stream.of(
                Arguments.of("anthropic: ends", anthropic(x -> x.stream().send(half))),
                Arguments.of(
                        "anthropic: hangs up", anthropic(x -> x.streamOfKnownLength().send(half))),
                Arguments.of("anthropic: stalls", anthropic(x -> x.stream().send(half).stall())),
                Arguments.of(
                        "anthropic: garbage",
                        anthropic(x -> x.stream().send(half).send("data: {{{\n\n"))),
                Arguments.of(
                        "anthropic: fails",
                        anthropic(x ->
                                x.stream()
                                        .send(half)
                                        .send("data: " + error("overloaded_error") + "\n\n"))),
                Arguments.of(
                        "pool: loses a worker",
                        pool((_, out) -> {
                            half(out);
                            fail(out, ProblemCode.PROBLEM_CODE_WORKER_LOST, 0);
                        })),
                Arguments.of(
                        "pool: ends",
                        pool((_, out) -> {
                            half(out);
                            out.onCompleted();
                        })),
                Arguments.of(
                        "pool: hangs up",
                        pool((_, out) -> {
                            half(out);
                            out.onError(Status.UNAVAILABLE.asRuntimeException());
                        })));
    }

    private static void half(
            io.grpc.stub.StreamObserver<coop.sahkar.proto.v1.GenerationEvent> out) {
        out.onNext(FakePool.started());
        out.onNext(FakePool.delta(4, "one"));
        out.onNext(FakePool.delta(5, " two"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inMidStream")
    void withoutConsentTheHalfIsAllThereIs(String what, Maker maker) throws IOException {
        long start = System.nanoTime();
        try (First first = maker.make();
                FakeService second = new FakeService(FakeService.saying("no"));
                InferenceClient client = client(QUICK, first, second);
                TokenStream stream = client.stream(QUESTION)) {
            InferenceException failure =
                    catchThrowableOfType(InferenceException.class, () -> texts(stream));
            assertThat(failure.failureKind()).isEqualTo(FailureKind.MID_STREAM);
            assertThat(stream.textSoFar()).isEqualTo("one two");
            assertThat(second.asked).isEmpty();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(SILENCE.plus(SLACK));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inMidStream")
    void withConsentTheSecondGoesOnBehindIt(String what, Maker maker) throws IOException {
        try (First first = maker.make();
                FakeService second = new FakeService(FakeService.saying(" three", " four"));
                InferenceClient client = client(QUICK.allowContinuing(), first, second);
                TokenStream stream = client.stream(QUESTION)) {
            assertThat(texts(stream)).containsExactly("one", " two", " three", " four");
            Completion answer = stream.completion();
            assertThat(answer.text()).isEqualTo("one two three four");
            assertThat(answer.continued()).isTrue();
            assertThat(answer.parts()).hasSize(2);
            assertThat(answer.parts().getLast()).isEqualTo(new Part("second", "m", 7, 18));
            assertThat(second.asked.getFirst().body())
                    .contains("{\"role\":\"assistant\",\"content\":\"one two\"}");
        }
    }

    private static InferenceClient client(Policy policy, First first, FakeService second) {
        Provider last =
                OpenAiProvider.at(second.url())
                        .name("second")
                        .continuation(coop.sahkar.client.http.Continuation.LAST_MESSAGE)
                        .build();
        return InferenceClient.builder().providers(first.provider(), last).policy(policy).build();
    }

    private static List<String> texts(TokenStream stream) {
        List<String> texts = new ArrayList<>();
        while (stream.hasNext()) {
            texts.add(stream.next().text());
        }
        return texts;
    }
}
