package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import coop.sahkar.deploy.demo.Distribution;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the gateway offers beyond plain chats, with real workers: forms, chances, tokens, Ollama.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GatewayBreadthIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CHAT = "/v1/chat/completions";
    private static final int SCHEMAS = 200;
    private static final int AT_A_TIME = 6;
    private static final int ANSWER_TOKENS = 220;

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), 3, 3);
    }

    @AfterAll
    void end() {
        pool().close();
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }

    private ObjectNode ask(String question) {
        ObjectNode body = JSON.createObjectNode().put("model", pool().model());
        body.putArray("messages").addObject().put("role", "user").put("content", question);
        return body.put("max_tokens", ANSWER_TOKENS);
    }

    private JsonNode post(String path, JsonNode body) throws Exception {
        var reply = new Http(pool().address()).post(path, body.toString());
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return JSON.readTree(reply.body());
    }

    private record Answered(ObjectNode schema, String text, boolean finished) {}

    @Test
    void whateverFormIsAskedForTheFinishedAnswerHasIt() throws Exception {
        List<ObjectNode> schemas = new SchemaMaker(20261123).schemas(SCHEMAS);
        SchemaRegistry registry =
                SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
        int finished = 0;
        for (Answered answer : answers(schemas)) {
            if (answer.finished()) {
                finished++;
                assertThat(
                                registry.getSchema(answer.schema().toString())
                                        .validate(answer.text(), InputFormat.JSON))
                        .as("%s for %s", answer.text(), answer.schema())
                        .isEmpty();
            }
        }
        assertThat(finished).as("answers that came to their end").isGreaterThan(SCHEMAS * 3 / 4);
    }

    private List<Answered> answers(List<ObjectNode> schemas) throws Exception {
        try (ExecutorService askers = Executors.newFixedThreadPool(AT_A_TIME)) {
            List<Callable<Answered>> tasks =
                    schemas.stream()
                            .<Callable<Answered>>map(schema -> () -> answer(schema))
                            .toList();
            List<Answered> answers = new java.util.ArrayList<>();
            for (Future<Answered> one : askers.invokeAll(tasks)) {
                answers.add(one.get());
            }
            return answers;
        }
    }

    private Answered answer(ObjectNode schema) throws Exception {
        ObjectNode body = ask("Tell me about a worker in JSON.").put("temperature", 1);
        body.put("seed", schema.hashCode());
        ObjectNode format = body.putObject("response_format").put("type", "json_schema");
        format.putObject("json_schema").put("name", "made").set("schema", schema);
        JsonNode choice = post(CHAT, body).get("choices").get(0);
        boolean stopped = choice.get("finish_reason").stringValue().equals("stop");
        return new Answered(schema, choice.at("/message/content").stringValue(), stopped);
    }

    @Test
    void chancesOfTokensAreThoseOfTheModel() throws Exception {
        ObjectNode body = ask("What is a worker?").put("temperature", 0).put("max_tokens", 8);
        JsonNode choice =
                post(CHAT, body.put("logprobs", true).put("top_logprobs", 20)).at("/choices/0");
        JsonNode tokens = choice.at("/logprobs/content");
        assertThat(tokens.size()).isEqualTo(8);
        StringBuilder text = new StringBuilder();
        for (JsonNode token : tokens) {
            text.append(token.get("token").stringValue());
            double chosen = token.get("logprob").doubleValue();
            assertThat(token.at("/top_logprobs/0/logprob").doubleValue())
                    .as("a greedy choice is the likeliest")
                    .isEqualTo(chosen, within(1e-6));
            double sum = 0;
            double last = 0;
            for (JsonNode top : token.get("top_logprobs")) {
                double log = top.get("logprob").doubleValue();
                assertThat(log).isLessThanOrEqualTo(last);
                last = log;
                sum += Math.exp(log);
            }
            assertThat(sum).isBetween(0.05, 1.0001);
        }
        assertThat(text.toString().strip())
                .isEqualTo(choice.at("/message/content").stringValue().strip());
    }

    @Test
    void textBecomesTokensAndTextAgain() throws Exception {
        ObjectNode text = JSON.createObjectNode().put("prompt", "A worker lends memory. Grün ✓");
        text.put("add_special_tokens", false);
        JsonNode cut = post("/tokenize", text);
        assertThat(cut.get("count").intValue()).isEqualTo(cut.get("tokens").size()).isPositive();
        ObjectNode back = JSON.createObjectNode();
        back.set("tokens", cut.get("tokens"));
        assertThat(post("/detokenize", back).get("prompt").stringValue().strip())
                .isEqualTo("A worker lends memory. Grün ✓");
        JsonNode chat = post("/tokenize", ask("What is a worker?"));
        ObjectNode one = ask("What is a worker?").put("max_tokens", 1);
        assertThat(chat.get("count").intValue())
                .isEqualTo(post(CHAT, one).at("/usage/prompt_tokens").intValue());
    }

    @Test
    void ollamaFormsAndSeveralChoicesWork() throws Exception {
        ObjectNode body = JSON.createObjectNode().put("model", pool().model());
        body.put("prompt", "What is a worker?").put("stream", false);
        body.putObject("options").put("num_predict", 120);
        body.putObject("format").put("type", "object").putObject("properties");
        ((ObjectNode) body.at("/format/properties")).putObject("yes").put("type", "boolean");
        body.withArray("/format/required").add("yes");
        JsonNode answer = post("/api/generate", body);
        assertThat(JSON.readTree(answer.get("response").stringValue()).get("yes").isBoolean())
                .isTrue();
        JsonNode two = post(CHAT, ask("What is a worker?").put("n", 2).put("max_tokens", 12));
        assertThat(two.get("choices").size()).isEqualTo(2);
    }
}
