package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What users of a model hear before it goes, and when it has gone. */
class SunsetTest {
    private static final Instant THEN = Instant.parse("2126-02-03T04:05:06.789Z");

    private final GatewayFixture fixture = new GatewayFixture();

    @Test
    void answersAndPagesSayWhenAModelGoes() {
        try (fixture) {
            fixture.head("w1", ScriptedHead.saying("Hello", " there"));
            assertThat(fixture.caller.chat(GatewayFixture.chat("")).header("sunset")).isEmpty();
            assertThat(model().get("withdrawn_at").isNull()).isTrue();

            fixture.pool.goneAtMillis = THEN.toEpochMilli();
            for (String more : new String[] {"", ",\"stream\":true", ",\"n\":2"}) {
                assertThat(fixture.caller.chat(GatewayFixture.chat(more)).header("sunset"))
                        .as(more)
                        .isEqualTo("Sun, 03 Feb 2126 04:05:06 GMT");
            }
            assertThat(model().get("withdrawn_at").asLong()).isEqualTo(THEN.getEpochSecond());
            JsonNode announced =
                    fixture.caller.get("/v1/policy").json().at("/withdrawal/announced/0");
            assertThat(announced.get("model").stringValue()).isEqualTo(ScriptedPool.MODEL);
            assertThat(announced.get("withdrawn_at").asLong()).isEqualTo(THEN.getEpochSecond());
        }
    }

    @Test
    void aModelThatWentIsListedNowhere() {
        try (fixture) {
            fixture.pool.goneAtMillis = System.currentTimeMillis() - 1;
            assertThat(fixture.caller.get("/v1/models").json().get("data").isEmpty()).isTrue();
            assertThat(fixture.caller.get("/v1/models/" + ScriptedPool.NAME).status())
                    .isEqualTo(404);
            assertThat(fixture.caller.get("/api/tags").json().get("models").isEmpty()).isTrue();
        }
    }

    private JsonNode model() {
        return fixture.caller.get("/v1/models").json().at("/data/0");
    }
}
