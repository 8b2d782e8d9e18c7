package coop.sahkar.client.json;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"a\":[1,2.5,\"x\",true,null],\"b\":{}}",
                "[]",
                "\"text with \\\"quotes\\\"\"",
                "-7"
            })
    void writesWhatItRead(String text) {
        assertThat(Json.write(Json.parse(text).orElseThrow())).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{", "{\"a\":}", "[1,]", "{} {}", "nul", "{\"a\":1"})
    void whatIsNoJsonIsNothing(String text) {
        assertThat(Json.parse(text)).isEmpty();
    }

    @Test
    void depthIsBounded() {
        assertThat(Json.parse("[".repeat(100_000))).isEmpty();
    }

    @Test
    void whatIsNotThereIsEmpty() {
        Json json = Json.parse("{\"a\":[{\"b\":5}]}").orElseThrow();
        assertThat(json.get("a").get(0).get("b").integer()).isEqualTo(5);
        assertThat(json.get("x").get(3).get("y").text()).isEmpty();
        assertThat(json.get("a").text()).isEmpty();
    }
}
