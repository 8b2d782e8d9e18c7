package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.AnswerFormat;
import coop.sahkar.client.Completion;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceException;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.TokenStream;
import coop.sahkar.client.Tool;
import coop.sahkar.client.ToolCall;
import coop.sahkar.client.http.OpenAiProvider;
import coop.sahkar.client.pool.PoolProvider;
import coop.sahkar.client.provider.Feature;
import coop.sahkar.client.provider.Provider;
import coop.sahkar.deploy.demo.Distribution;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The client's providers and the commands that use them, against a running pool. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClientProvidersIT {
    private static final int LIMIT_SECONDS = 120;
    private static final String BEGINNING = "members lend their machines";

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), 2, 2);
    }

    @AfterAll
    void end() {
        pool().close();
    }

    @Test
    void theGatewayAnswersAnOpenAiProviderAsThePoolAnswersItsClient() {
        InferenceRequest question = Questions.brief(pool().model(), "What is a worker?");
        try (InferenceClient http =
                InferenceClient.builder().providers(gateway("gateway")).build()) {
            Completion overHttp = http.complete(question);
            Completion overGrpc = pool().client().complete(question);

            assertThat(overHttp.text()).isEqualTo(overGrpc.text()).isNotBlank();
            assertThat(overHttp.usage()).isEqualTo(overGrpc.usage());
            assertThat(overHttp.finishReason()).isEqualTo(overGrpc.finishReason());
            assertThat(http.complete(Questions.continued(pool().model(), 12)).text())
                    .isEqualTo(
                            pool().client()
                                    .complete(Questions.continued(pool().model(), 12))
                                    .text());
        }
    }

    /** By gRPC and by HTTP the same grammar holds the answer, so they say the same. */
    @Test
    void formsAndToolsAreHeldToByGrpcAsByHttp() {
        GenerationOptions options =
                GenerationOptions.builder().maxTokens(200).temperature(1).seed(11).build();
        InferenceRequest asked =
                InferenceRequest.ask(pool().model(), "Tell me about a worker.").with(options);
        String schema =
                """
                {"type":"object","properties":{"kind":{"enum":["worker","member"]},"blocks":\
                {"type":"integer"}},"required":["kind","blocks"],"additionalProperties":false}\
                """;
        Tool tool = new Tool("look_up", "Looks something up.", schema);
        try (InferenceClient http =
                InferenceClient.builder().providers(gateway("gateway")).build()) {
            InferenceRequest form = asked.with(new AnswerFormat.JsonSchema("made", schema));
            Completion answer = pool().client().complete(form);
            assertThat(answer.text())
                    .matches("\\{\"kind\": ?\"(worker|member)\", ?\"blocks\": ?-?[0-9]+\\}")
                    .isEqualTo(http.complete(form).text());

            InferenceRequest offered = asked.with(List.of(tool));
            Completion byGrpc = pool().client().complete(offered);
            Completion byHttp = http.complete(offered);
            assertThat(byGrpc.text()).isEqualTo(byHttp.text());
            assertThat(pool().client().countTokens(offered))
                    .isEqualTo(byGrpc.usage().promptTokens());
            assertThat(pool().client().countTokens(Questions.continued(pool().model(), 12)))
                    .isEqualTo(
                            pool().client()
                                    .complete(Questions.continued(pool().model(), 12))
                                    .usage()
                                    .promptTokens());
            assertThat(byGrpc.toolCalls())
                    .extracting(ToolCall::name, ToolCall::arguments)
                    .isEqualTo(
                            byHttp.toolCalls().stream()
                                    .map(call -> tuple(call.name(), call.arguments()))
                                    .toList());
        }
    }

    @Test
    void theGatewayListsItsModels() {
        try (Provider gateway = gateway("gateway")) {
            assertThat(gateway.modelNames()).contains(pool().model());
        }
    }

    @Test
    void anUnknownModelIsOneHereToo() {
        try (InferenceClient client =
                InferenceClient.builder().providers(gateway("gateway")).build()) {
            assertThatThrownBy(() -> client.complete(InferenceRequest.ask("nobody", "Hello?")))
                    .isInstanceOf(InferenceException.ModelNotFound.class)
                    .hasMessageContaining("nobody");
        }
    }

    @Test
    void theGatewayStandsInForACoordinatorThatIsAway() throws Exception {
        InferenceRequest question = Questions.brief(pool().model(), "What is a worker?");
        try (InferenceClient client =
                InferenceClient.builder()
                        .providers(PoolProvider.at(nowhere()), gateway("gateway"))
                        .build()) {
            Completion answer = client.complete(question);
            assertThat(answer.text()).isNotBlank();
            assertThat(answer.parts().getLast().provider()).isEqualTo("gateway");
            assertThat(answer.tried()).isNotEmpty();
        }
    }

    @Test
    void cancellingOverHttpFreesTheWorkers() {
        GenerationOptions endless = GenerationOptions.builder().maxTokens(400).build();
        try (InferenceClient client =
                        InferenceClient.builder().providers(gateway("gateway")).build();
                TokenStream story =
                        client.stream(
                                InferenceRequest.ask(pool().model(), Questions.STORY)
                                        .with(endless))) {
            assertThat(story.hasNext()).isTrue();
            story.cancel();
            await().atMost(TestPool.SOON).until(() -> pool().idle());
        }
    }

    @Test
    void completeGoesOnWithWhatIsPipedIn() throws Exception {
        Distribution.Run run =
                command(BEGINNING, "complete", "-c", pool().address(), "--max-tokens", "12");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out().stripTrailing())
                .isEqualTo(
                        pool().client()
                                .complete(Questions.continued(pool().model(), 12))
                                .text()
                                .stripTrailing());
        assertThat(run.err()).isEmpty();
    }

    @Test
    void completeTellsProgramsWhatItTook() throws Exception {
        Distribution.Run run =
                command(
                        "",
                        "complete",
                        "-c",
                        pool().address(),
                        "--json",
                        "--max-tokens",
                        "5",
                        BEGINNING);
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("\"finish_reason\" : \"length\"", "\"completion_tokens\" : 5");
    }

    @Test
    void chatFallsBackWhenNoCoordinatorAnswers() throws Exception {
        String gateway = "http://%s/v1#%s".formatted(pool().address(), pool().model());
        Distribution.Run run =
                command(
                        "What is a worker?",
                        "chat",
                        "-c",
                        nowhere(),
                        "--fallback",
                        gateway,
                        "--stats");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).containsIgnoringCase("worker");
        assertThat(run.err()).contains("tokens/s").doesNotContain("Exception");
    }

    private Distribution.Run command(String input, String... arguments) throws Exception {
        Path out = Files.createTempFile(scratch, "out", ".txt");
        Path err = Files.createTempFile(scratch, "err", ".txt");
        Process process =
                new Distribution(scratch)
                        .command(List.of(arguments))
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException closed) {
            // A command that reads nothing may have closed its input already.
        }
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("still running: " + Files.readString(err));
        }
        return new Distribution.Run(
                process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private Provider gateway(String name) {
        return OpenAiProvider.at("http://" + pool().address() + "/v1")
                .name(name)
                .features(Feature.CHAT, Feature.PROMPT, Feature.TOOLS, Feature.JSON_SCHEMA)
                .build();
    }

    private static String nowhere() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "127.0.0.1:" + socket.getLocalPort();
        }
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }
}
