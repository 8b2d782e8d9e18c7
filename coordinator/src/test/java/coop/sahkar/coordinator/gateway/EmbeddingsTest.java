package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.GenerationEvent;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** {@code /v1/embeddings} and {@code /api/embed}. */
class EmbeddingsTest {
    private static final String PATH = "/v1/embeddings";

    private final GatewayFixture fixture = new GatewayFixture();
    private final Caller caller = fixture.caller;

    @AfterEach
    void close() {
        fixture.close();
    }

    private static String body(String more) {
        return "{\"model\":\"" + ScriptedPool.NAME + "\"," + more + "}";
    }

    /** A head whose states are (length of the text, 1). */
    private static ScriptedHead.Script measuring() {
        return (run, call) -> {
            call.started();
            call.out.onNext(
                    GenerationEvent.newBuilder()
                            .setDelta(
                                    Delta.newBuilder()
                                            .setPosition(ScriptedHead.PROMPT_TOKENS)
                                            .addTokens(5)
                                            .setText("ignored")
                                            .addEmbedding(run.getRequest().getPrompt().length())
                                            .addEmbedding(1))
                            .build());
            call.finished(FinishReason.FINISH_REASON_LENGTH, 1);
        };
    }

    @Test
    void eachTextHasAVectorOfLengthOne() {
        ScriptedHead head = fixture.head("a", measuring());
        JsonNode json = caller.post(PATH, body("\"input\":[\"abc\",\"\\n\"]")).json();
        assertThat(json.get("object")).hasToString("\"list\"");
        assertThat(json.get("model").stringValue()).isEqualTo(ScriptedPool.MODEL);
        assertThat(json.at("/data/1/index").intValue()).isEqualTo(1);
        assertThat(json.at("/data/0/embedding/0").floatValue())
                .isCloseTo((float) (3 / Math.sqrt(10)), within(1e-6f));
        assertThat(json.at("/data/1/embedding/0").floatValue())
                .isCloseTo((float) Math.sqrt(0.5), within(1e-6f));
        assertThat(json.at("/usage/prompt_tokens").intValue())
                .isEqualTo(2 * ScriptedHead.PROMPT_TOKENS);
        assertThat(head.requests)
                .allSatisfy(run -> {
                    assertThat(run.getRequest().getMaxTokens()).isEqualTo(1);
                    assertThat(run.getRequest().getSampling().getEmbedding()).isTrue();
                });
    }

    @Test
    void manyTextsComeInTheirOrder() {
        fixture.head("a", measuring());
        List<String> texts =
                IntStream.rangeClosed(1, GatewayLimits.MAX_EMBEDDING_INPUTS)
                        .mapToObj(i -> "\"" + "x".repeat(i) + "\"")
                        .toList();
        JsonNode data =
                caller.post(PATH, body("\"input\":[" + String.join(",", texts) + "]"))
                        .json()
                        .get("data");
        assertThat(data.size()).isEqualTo(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            JsonNode vector = data.get(i).get("embedding");
            assertThat(vector.get(0).floatValue() / vector.get(1).floatValue())
                    .isCloseTo(i + 1, within(1e-3f));
        }
    }

    @Test
    void bytesAreTheSameNumbers() {
        fixture.head("a", measuring());
        String input = "\"input\":\"abc\"";
        JsonNode floats = caller.post(PATH, body(input)).json().at("/data/0/embedding");
        String bytes =
                caller.post(PATH, body(input + ",\"encoding_format\":\"base64\""))
                        .json()
                        .at("/data/0/embedding")
                        .stringValue();
        ByteBuffer read =
                ByteBuffer.wrap(Base64.getDecoder().decode(bytes)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(read.getFloat()).isEqualTo(floats.get(0).floatValue());
        assertThat(read.getFloat()).isEqualTo(floats.get(1).floatValue());
        assertThat(read.hasRemaining()).isFalse();
    }

    @Test
    void ollamaAsksInItsOwnShape() {
        fixture.head("a", measuring());
        JsonNode json = caller.post("/api/embed", body("\"input\":[\"a\",\"b\"]")).json();
        assertThat(json.get("embeddings").size()).isEqualTo(2);
        assertThat(json.at("/embeddings/0/1").floatValue())
                .isCloseTo((float) Math.sqrt(0.5), within(1e-6f));
        assertThat(json.get("prompt_eval_count").intValue())
                .isEqualTo(2 * ScriptedHead.PROMPT_TOKENS);
        Caller.Reply refused = caller.post("/api/embed", body("\"input\":[]"));
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.json().get("error").isString()).isTrue();
    }

    @Test
    void aModelWithoutEmbeddingsIsRefusedByName() {
        fixture.head("a", ScriptedHead.saying("x"));
        Caller.Reply reply = caller.post(PATH, body("\"input\":[\"a\",\"b\",\"c\"]"));
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.json().at("/error/param")).hasToString("\"model\"");
        assertThat(reply.json().at("/error/message").stringValue()).contains(ScriptedPool.MODEL);
    }

    @Test
    void aTextThatIsTooLongIsRefused() {
        fixture.head("a", measuring());
        String long1 = "\"" + "x".repeat(Limits.MAX_PROMPT_BYTES + 1) + "\"";
        Caller.Reply reply = caller.post(PATH, body("\"input\":" + long1));
        assertThat(reply.status()).as(reply.body()).isEqualTo(400);
        assertThat(reply.json().at("/error/param")).hasToString("\"input\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "\"x\":1                                        | input",
                "\"input\":null                                 | input",
                "\"input\":[]                                   | input",
                "\"input\":\"\"                                 | input",
                "\"input\":5                                    | input",
                "\"input\":{\"a\":1}                            | input",
                "\"input\":[1,2]                                | input[0]",
                "\"input\":[\"a\",[1]]                          | input[1]",
                "\"input\":[\"a\",\"\"]                         | input",
                "\"input\":\"a\",\"encoding_format\":\"int8\"   | encoding_format",
                "\"input\":\"a\",\"encoding_format\":1          | encoding_format",
                "\"input\":\"a\",\"dimensions\":8               | dimensions",
                "\"input\":\"a\",\"user\":8                     | user",
            })
    void oneBadFieldIsNamed(String fields, String param) {
        Caller.Reply reply = caller.post(PATH, body(fields));
        assertThat(reply.status()).as(reply.body()).isEqualTo(400);
        assertThat(reply.json().at("/error/param").asString("")).isEqualTo(param);
    }

    @Test
    void anUnknownModelIsNotFound() {
        String body = "{\"model\":\"gpt-9\",\"input\":\"a\"}";
        assertThat(caller.post(PATH, body).status()).isEqualTo(404);
        assertThat(caller.post("/api/embed", body).status()).isEqualTo(404);
    }
}
