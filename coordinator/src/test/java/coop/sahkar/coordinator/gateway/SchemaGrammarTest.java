package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.Grammar;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What schemas become; that llama.cpp holds to it is tested with workers. */
class SchemaGrammarTest {
    private static String grammar(String schema) {
        String grammar = SchemaGrammar.of(Caller.JSON.readTree(schema), "schema");
        assertThat(Grammar.fault(grammar)).as(grammar).isEmpty();
        return grammar;
    }

    @Test
    void objectsHoldTheirPropertiesInOrder() {
        String grammar =
                grammar(
                        """
                        {"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"null"}},
                         "required":["b"],"additionalProperties":false}\
                        """);
        assertThat(grammar)
                .contains("\"\\\"b\\\"\" colon null")
                .contains("(comma \"\\\"a\\\"\" colon integer)?")
                .contains("integer ::= ");
    }

    @Test
    void aSchemaMayHoldItself() {
        assertThat(
                        grammar(
                                """
                                {"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":
                                  {"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}}}}}\
                                """))
                .contains("root ::= r1");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "0, 9",
        "5, 23",
        "17, 4321",
        "-5, 5",
        "-120, -7",
        "99, 101",
        "1000, 1000",
        "-1, 0"
    })
    void aRangeOfIntegersHoldsThoseAndNoOthers(int low, int high) {
        String body = new IntegerRange(low, high).grammar();
        Pattern same = Pattern.compile(body.replace("\"", "").replace(" ", ""));
        for (int i = low - 300; i <= high + 300; i++) {
            assertThat(same.matcher(Integer.toString(i)).matches())
                    .as("%d in %s", i, body)
                    .isEqualTo(i >= low && i <= high);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "5                                                | schema",
                "false                                            | schema",
                "{\"type\":\"string\",\"pattern\":\"a\"}          | schema.pattern",
                "{\"type\":\"sting\"}                             | schema.type",
                "{\"oneOf\":[{}]}                                 | schema.oneOf",
                "{\"type\":\"number\",\"minimum\":1}              | schema.minimum",
                "{\"type\":\"integer\",\"minimum\":9,\"maximum\":1}|schema.minimum",
                "{\"type\":\"string\",\"minLength\":5000}         | schema.minLength",
                "{\"type\":\"string\",\"minLength\":5,\"maxLength\":4}|schema.minLength",
                "{\"type\":\"string\",\"format\":\"email\"}       | schema.format",
                "{\"minLength\":3}                                | schema.minLength",
                "{\"enum\":[]}                                    | schema.enum",
                "{\"enum\":[1],\"type\":\"string\"}               | schema.enum",
                "{\"anyOf\":[]}                                   | schema.anyOf",
                "{\"$ref\":\"http://x\"}                          | schema.$ref",
                "{\"$ref\":\"#/$defs/x\"}                         | schema.$ref",
                "{\"$ref\":\"#/$defs/x\",\"$defs\":{\"x\":{\"$ref\":\"#/$defs/x\"}}}|schema.$defs.x.$ref",
                "{\"type\":\"object\",\"required\":[\"a\"]}       | schema.required",
                "{\"type\":\"object\",\"properties\":{\"a\":5}}   | schema.properties.a",
                "{\"type\":\"array\",\"items\":{\"not\":{}}}      | schema.items.not",
                "{\"type\":\"array\",\"minItems\":-1}             | schema.minItems",
            })
    void whatAGrammarCannotHoldToIsNamed(String schema, String field) {
        assertThatThrownBy(() -> grammar(schema))
                .isInstanceOfSatisfying(
                        RefusedRequest.class,
                        refused -> assertThat(refused.problem().field()).isEqualTo(field));
    }

    @Test
    void schemasThatGrowWithoutBoundAreRefused() {
        StringBuilder defs = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            defs.append(
                    "\"d%d\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/d%d\"}},"
                            .formatted(i, i + 1));
        }
        String schema = "{\"$ref\":\"#/$defs/d0\",\"$defs\":{" + defs + "\"d300\":{}}}";
        assertThatThrownBy(() -> grammar(schema)).isInstanceOf(RefusedRequest.class);
    }
}
