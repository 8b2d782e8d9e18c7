package coop.sahkar.client.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.Completion;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceException;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.Part;
import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import coop.sahkar.client.http.FakeService.Script;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.client.provider.Feature;
import coop.sahkar.client.provider.Patience;
import coop.sahkar.client.provider.Provider;
import coop.sahkar.client.routing.Policy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What goes wrong at the first provider, and what the caller sees of it. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class FaultTest {
    private static final InferenceRequest QUESTION = InferenceRequest.ask("m", "Who are you?");
    private static final Duration SILENCE = Duration.ofMillis(400);

    private static final Duration UNHURRIED = Duration.ofSeconds(30);

    /** Beyond what patience and back-off add up to, for a busy machine. */
    private static final Duration SLACK = Duration.ofSeconds(5);

    private static final Policy QUICK =
            Policy.FALLBACK.retries(1).backoff(Duration.ofMillis(20)).waitAtMost(SLACK);

    static Stream<Arguments> faultsBeforeText() {
        String limit = "{\"error\":{\"message\":\"slow down\",\"code\":\"rate_limit_exceeded\"}}";
        String spent = "{\"error\":{\"message\":\"x\",\"code\":\"insufficient_quota\"}}";
        String context = "{\"error\":{\"message\":\"x\",\"code\":\"context_length_exceeded\"}}";
        String big = "data: " + "x".repeat(Bounds.MAX_LINE_BYTES + 1);
        return Stream.of(
                fault("refuses the key", FakeService.refusing(401, "{}"), FailureKind.AUTH, 1),
                fault("forbids", FakeService.refusing(403, "no"), FailureKind.AUTH, 1),
                fault("lacks the model", FakeService.refusing(404, "{}"), FailureKind.NOT_FOUND, 1),
                fault("wants money", FakeService.refusing(402, ""), FailureKind.QUOTA, 1),
                fault("quota", FakeService.refusing(429, spent), FailureKind.QUOTA, 1),
                fault(
                        "limits",
                        FakeService.refusing(429, limit, "retry-after: 30"),
                        FailureKind.RATE,
                        1),
                fault("is overloaded", FakeService.refusing(503, "{}"), FailureKind.OVERLOAD, 2),
                fault("fails", FakeService.refusing(500, "<html>"), FailureKind.OVERLOAD, 2),
                fault("short context", FakeService.refusing(400, context), FailureKind.CONTEXT, 1),
                fault("hangs up", FakeService.Exchange::hangUp, FailureKind.NETWORK, 2),
                fault("hangs up after headers", x -> x.stream().hangUp(), FailureKind.NETWORK, 2),
                fault("ends at once", x -> x.stream(), FailureKind.NETWORK, 2),
                fault("stalls before headers", FakeService.Exchange::stall, FailureKind.TIMEOUT, 1),
                fault("stalls before text", x -> x.stream().stall(), FailureKind.TIMEOUT, 1),
                fault("sends only keep-alives", FaultTest::pingForever, FailureKind.TIMEOUT, 1),
                fault(
                        "sends garbage",
                        x -> x.stream().send("data: {\"choices\":[\n\n"),
                        FailureKind.BROKEN,
                        1),
                fault(
                        "sends HTML",
                        x -> x.head(200, "text/html").send("<html>hi</html>"),
                        FailureKind.BROKEN,
                        1),
                fault(
                        "sends JSON that is no answer",
                        x -> x.head(200, "application/json").send("{\"ok\":true}"),
                        FailureKind.BROKEN,
                        1),
                fault("sends an endless line", x -> x.stream().send(big), FailureKind.BROKEN, 1),
                fault(
                        "redirects",
                        FakeService.refusing(302, "", "location: http://127.0.0.1:9/v1"),
                        FailureKind.BROKEN,
                        1),
                fault(
                        "fails in its stream",
                        x ->
                                x.stream()
                                        .send(
                                                "data: {\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n"),
                        FailureKind.OVERLOAD,
                        2));
    }

    private static Arguments fault(String what, Script script, FailureKind kind, int times) {
        return Arguments.of(what, script, kind, times);
    }

    private static void pingForever(FakeService.Exchange x) throws IOException {
        x.stream();
        while (x.closed().getCount() > 0) {
            x.send(": ping\n\n");
            java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faultsBeforeText")
    void theSecondAnswers(String what, Script script, FailureKind kind, int times)
            throws IOException {
        long start = System.nanoTime();
        try (FakeService first = new FakeService(script);
                FakeService second = new FakeService(FakeService.saying("I", " am", " second."));
                InferenceClient client = client(QUICK, patience(kind), first, second)) {
            Completion answer = client.complete(QUESTION);

            assertThat(answer.text()).isEqualTo("I am second.");
            assertThat(answer.usage()).isEqualTo(new Completion.Usage(7, 3));
            assertThat(answer.continued()).isFalse();
            assertThat(answer.tried()).hasSize(times);
            assertThat(answer.tried()).allMatch(t -> t.failure().kind() == kind);
            assertThat(first.asked).hasSize(times);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(SILENCE.plus(SLACK));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faultsBeforeText")
    void aloneItFailsAsWhatItIs(String what, Script script, FailureKind kind, int times)
            throws IOException {
        try (FakeService only = new FakeService(script);
                InferenceClient client = client(Policy.ONCE, patience(kind), only)) {
            InferenceException failure =
                    catchThrowableOfType(InferenceException.class, () -> client.complete(QUESTION));
            assertThat(failure.failureKind()).isEqualTo(kind);
            assertThat(failure).message().contains("service-0").doesNotContain("\n");
            assertThat(only.asked).hasSize(1);
        }
    }

    @Test
    void nobodyListens() throws IOException {
        String nowhere;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nowhere = "http://127.0.0.1:" + socket.getLocalPort();
        }
        try (InferenceClient client =
                InferenceClient.builder()
                        .providers(OpenAiProvider.at(nowhere).build())
                        .policy(QUICK)
                        .build()) {
            InferenceException failure =
                    catchThrowableOfType(InferenceException.class, () -> client.complete(QUESTION));
            assertThat(failure).isInstanceOf(InferenceException.Unreachable.class);
            assertThat(failure.tried()).hasSize(2);
        }
    }

    @Test
    void theCallersMistakeIsNotTakenElsewhere() throws IOException {
        Script refuses =
                FakeService.refusing(
                        400, "{\"error\":{\"message\":\"bad\",\"param\":\"messages[0].role\"}}");
        try (FakeService first = new FakeService(refuses);
                FakeService second = new FakeService(FakeService.saying("no"));
                InferenceClient client = client(QUICK, first, second)) {
            InferenceException failure =
                    catchThrowableOfType(InferenceException.class, () -> client.complete(QUESTION));
            assertThat(failure).isInstanceOf(InferenceException.InvalidRequest.class);
            assertThat(failure.field()).isEqualTo("messages[0].role");
            assertThat(second.asked).isEmpty();
        }
    }

    @Test
    void aLimitThatPassesSoonIsWaitedFor() throws IOException {
        long start = System.nanoTime();
        try (FakeService only =
                        new FakeService(
                                FakeService.refusing(429, "{}", "retry-after-ms: 300"),
                                FakeService.saying("here"));
                InferenceClient client = client(QUICK, only)) {
            assertThat(client.complete(QUESTION).text()).isEqualTo("here");
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(300), Duration.ofMillis(300).plus(SLACK));
        }
    }

    @Test
    void aLimitThatLastsIsToldAtOnce() throws IOException {
        try (FakeService only =
                        new FakeService(FakeService.refusing(429, "{}", "retry-after: 3600"));
                InferenceClient client = client(QUICK, only)) {
            for (int i = 0; i < 2; i++) {
                InferenceException failure =
                        catchThrowableOfType(
                                InferenceException.class, () -> client.complete(QUESTION));
                assertThat(failure).isInstanceOf(InferenceException.Overloaded.class);
                assertThat(failure.retryAfter().orElseThrow())
                        .isBetween(Duration.ofMinutes(59), Duration.ofHours(1));
            }
            assertThat(only.asked).as("a second request does not even ask").hasSize(1);
        }
    }

    @Test
    void aProviderWhoseMeterIsEmptyIsLeftAloneBeforeItRefuses() throws IOException {
        Script last =
                x -> {
                    x.head(
                            200,
                            "text/event-stream",
                            "x-ratelimit-remaining-requests: 0",
                            "x-ratelimit-reset-requests: 6m0s");
                    x.say("last").done(1, 1);
                };
        try (FakeService first = new FakeService(last);
                FakeService second = new FakeService(FakeService.saying("second"));
                InferenceClient client = client(QUICK, first, second)) {
            assertThat(client.complete(QUESTION).text()).isEqualTo("last");
            assertThat(client.complete(QUESTION).text()).isEqualTo("second");
            assertThat(first.asked).hasSize(1);
        }
    }

    static Stream<Arguments> faultsInMidStream() {
        return Stream.of(
                Arguments.of("hangs up", (Script) x -> x.streamOfKnownLength().say("one", " two")),
                Arguments.of("ends", (Script) x -> x.stream().say("one", " two")),
                Arguments.of("stalls", (Script) x -> x.stream().say("one", " two").stall()),
                Arguments.of(
                        "drips a line",
                        (Script)
                                x -> {
                                    x.stream().say("one", " two");
                                    while (x.closed().getCount() > 0) {
                                        x.send("d");
                                        java.util.concurrent.locks.LockSupport.parkNanos(
                                                20_000_000);
                                    }
                                }),
                Arguments.of(
                        "fails",
                        (Script)
                                x ->
                                        x.stream()
                                                .say("one", " two")
                                                .send("data: {\"error\":{\"message\":\"x\"}}\n\n")),
                Arguments.of(
                        "sends garbage",
                        (Script) x -> x.stream().say("one", " two").send("data: {{{\n\n")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faultsInMidStream")
    void aHalfAnswerEndsWithoutConsent(String what, Script script) throws IOException {
        try (FakeService first = new FakeService(script);
                FakeService second = new FakeService(FakeService.saying("no"));
                InferenceClient client = client(QUICK, first, second);
                TokenStream stream = client.stream(QUESTION)) {
            InferenceException failure =
                    catchThrowableOfType(InferenceException.class, () -> texts(stream));
            assertThat(failure.failureKind()).isEqualTo(FailureKind.MID_STREAM);
            assertThat(stream.textSoFar()).isEqualTo("one two");
            assertThat(second.asked).isEmpty();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faultsInMidStream")
    void aHalfAnswerIsContinuedWithConsent(String what, Script script) throws IOException {
        try (FakeService first = new FakeService(script);
                FakeService second = new FakeService(FakeService.saying(" three", " four"));
                InferenceClient client = client(QUICK.allowContinuing(), first, second);
                TokenStream stream = client.stream(QUESTION)) {
            assertThat(texts(stream)).containsExactly("one", " two", " three", " four");
            Completion answer = stream.completion();
            assertThat(answer.text()).isEqualTo("one two three four");
            assertThat(answer.continued()).isTrue();
            assertThat(answer.parts())
                    .containsExactly(
                            new Part("service-0", "m", 0, 7), new Part("service-1", "m", 7, 18));
            assertThat(answer.usage().estimated()).isTrue();
            assertThat(second.asked.getFirst().body())
                    .contains("{\"role\":\"assistant\",\"content\":\"one two\"}");
        }
    }

    @Test
    void nobodyContinuesWhoCannot() throws IOException {
        try (FakeService first = new FakeService(x -> x.stream().say("half"));
                FakeService second = new FakeService(FakeService.saying("no"));
                InferenceClient client =
                        InferenceClient.builder()
                                .providers(
                                        provider("a", first, UNHURRIED, Continuation.NONE),
                                        provider("b", second, UNHURRIED, Continuation.NONE))
                                .policy(QUICK.allowContinuing())
                                .build()) {
            InferenceException failure =
                    catchThrowableOfType(InferenceException.class, () -> client.complete(QUESTION));
            assertThat(failure).message().contains("b cannot go on with a begun answer");
            assertThat(second.asked).isEmpty();
        }
    }

    @Test
    void aPromptIsContinuedByAppending() throws IOException {
        Script half = x -> x.stream().send("data: {\"choices\":[{\"text\":\"upon \"}]}\n\n");
        Script rest =
                x ->
                        x.stream()
                                .send(
                                        "data: {\"choices\":[{\"text\":\"a time\",\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
        try (FakeService first = new FakeService(half);
                FakeService second = new FakeService(rest);
                InferenceClient client = client(QUICK.allowContinuing(), first, second)) {
            Completion answer = client.complete(InferenceRequest.prompt("m", "Once "));
            assertThat(answer.text()).isEqualTo("upon a time");
            assertThat(second.asked.getFirst().path()).isEqualTo("/v1/completions");
            assertThat(second.asked.getFirst().body()).contains("\"prompt\":\"Once upon \"");
        }
    }

    @Test
    void cancellingClosesTheConnection() throws IOException {
        try (FakeService only = new FakeService(x -> x.stream().say("one").stall());
                InferenceClient client = client(QUICK, only)) {
            TokenStream stream = client.stream(QUESTION);
            assertThat(stream.next().text()).isEqualTo("one");
            stream.cancel();
            assertThat(catchThrowableOfType(InferenceException.class, stream::hasNext))
                    .isInstanceOf(InferenceException.Cancelled.class);
            await().until(() -> only.hungUp.get() == 1);
        }
    }

    @Test
    void aDeadlineHoldsForAllProvidersTogether() throws IOException {
        GenerationOptions hasty =
                GenerationOptions.builder().timeout(Duration.ofMillis(600)).build();
        long start = System.nanoTime();
        try (FakeService first = new FakeService(FakeService.Exchange::stall);
                FakeService second = new FakeService(FakeService.Exchange::stall);
                InferenceClient client = client(QUICK, SILENCE, first, second)) {
            assertThat(
                            catchThrowableOfType(
                                    InferenceException.class,
                                    () -> client.complete(QUESTION.with(hasty))))
                    .isInstanceOf(InferenceException.DeadlineExceeded.class);
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(600), Duration.ofMillis(600).plus(SLACK));
            await().until(() -> first.hungUp.get() + second.hungUp.get() == 2);
        }
    }

    /** Where silence is the fault, it is noticed soon; elsewhere the machine may be busy. */
    private static Duration patience(FailureKind kind) {
        return kind == FailureKind.TIMEOUT ? SILENCE : UNHURRIED;
    }

    private static List<String> texts(TokenStream stream) {
        List<String> texts = new ArrayList<>();
        while (stream.hasNext()) {
            TextPiece piece = stream.next();
            texts.add(piece.text());
        }
        return texts;
    }

    private static InferenceClient client(Policy policy, FakeService... services) {
        return client(policy, UNHURRIED, services);
    }

    /** Only the first provider may be one of which silence is expected. */
    private static InferenceClient client(
            Policy policy, Duration patienceWithFirst, FakeService... services) {
        Provider[] providers = new Provider[services.length];
        for (int i = 0; i < services.length; i++) {
            Duration first = i == 0 ? patienceWithFirst : UNHURRIED;
            providers[i] = provider("service-" + i, services[i], first, Continuation.LAST_MESSAGE);
        }
        return InferenceClient.builder().providers(providers).policy(policy).build();
    }

    private static Provider provider(
            String name, FakeService service, Duration first, Continuation continuation) {
        var provider =
                OpenAiProvider.at(service.url())
                        .name(name)
                        .key("secret")
                        .features(Feature.CHAT, Feature.PROMPT)
                        .patience(new Patience(SLACK, first, SILENCE))
                        .continuation(continuation);
        // The second context must be longer than the first for one that is too short.
        return name.equals("service-1")
                ? provider.offers(coop.sahkar.client.provider.Offer.of("m").context(1000)).build()
                : provider.build();
    }
}
