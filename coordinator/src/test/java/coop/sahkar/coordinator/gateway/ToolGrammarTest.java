package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.proto.CallSyntax;
import coop.sahkar.proto.Grammar;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

/** What a request's functions become; that llama.cpp holds to it is tested with workers. */
class ToolGrammarTest {
    private static final String ADD =
            "{\"type\":\"function\",\"function\":{\"name\":\"add\",\"parameters\":{\"type\":\"object\",\"properties\":"
                    + "{\"a\":{\"$ref\":\"#/$defs/n\"}},\"required\":[\"a\"],\"$defs\":{\"n\":{\"type\":\"integer\"}}}%s}}";
    private static final String PING = "{\"type\":\"function\",\"function\":{\"name\":\"ping\"}}";
    private static final String ODD =
            "{\"type\":\"function\",\"function\":{\"name\":\"odd\",\"strict\":%s,\"parameters\":"
                    + "{\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"x\"}}}}}";

    private static ToolReader.Tools read(String body) {
        return ToolReader.read(new Fields((ObjectNode) Caller.JSON.readTree(body)));
    }

    private static String grammar(String body, String form) {
        String grammar = read(body).grammar(form);
        assertThat(Grammar.fault(CallSyntax.TAGGED.complete(grammar))).as(grammar).isEmpty();
        return grammar;
    }

    @Test
    void aCallThatIsRequiredFollowsOneOfTheSchemas() {
        String tools = "\"tools\":[" + ADD.formatted("") + "," + PING + "]";
        assertThat(grammar("{" + tools + ",\"tool_choice\":\"required\"}", ""))
                .contains("root ::= calls\n")
                .contains("calls ::= calls-open call (calls-between call){0,7} calls-close\n")
                .contains("call ::= call-begin (call-0 | call-1) call-end\n")
                .contains("call-0 ::= \"{\\\"name\\\": \\\"add\\\"\" call-key args-0 \"}\"\n")
                .contains("\"\\\"a\\\"\" colon t0-r")
                .contains("args-1 ::= \"{}\"\n");
        String one = ",\"parallel_tool_calls\":false,\"tool_choice\":";
        assertThat(
                        grammar(
                                "{"
                                        + tools
                                        + one
                                        + "{\"type\":\"function\",\"function\":{\"name\":\"ping\"}}}",
                                "ignored ::= \"x\"\n"))
                .contains("calls ::= calls-open call calls-close\n")
                .contains("\"{\\\"name\\\": \\\"ping\\\"\"")
                .doesNotContain("add", "ignored");
    }

    @Test
    void aModelThatMayCallIsHeldToTheFormOfTextToo() {
        String tools = "{\"tools\":[" + ADD.formatted("") + "]}";
        assertThat(grammar(tools, ""))
                .startsWith("root ::= calls-free\n")
                .contains("call-rest ::= rest-0\n")
                .contains("rest-0 ::= \": \\\"add\\\"\" call-key args-0 \"}\"\n");
        assertThat(grammar("{\"parallel_tool_calls\":false," + tools.substring(1), ""))
                .startsWith("root ::= call-free\n");
        assertThat(grammar(tools, SchemaGrammar.anyObject()))
                .contains("root ::= calls | form\n")
                .contains("form ::= object\n")
                .containsOnlyOnce("\nstring ::= ");
    }

    @Test
    void aSchemaThatNoGrammarHoldsToIsRefusedWhereItIsStrict() {
        String body = "{\"tools\":[" + ODD + "],\"tool_choice\":\"required\"}";
        assertThat(grammar(body.formatted("false"), "")).contains("args-0 ::= object\n");
        assertThatThrownBy(() -> grammar(body.formatted("true"), ""))
                .isInstanceOfSatisfying(
                        RefusedRequest.class,
                        refused ->
                                assertThat(refused.problem().field())
                                        .isEqualTo(
                                                "tools[0].function.parameters.properties.a.pattern"));
    }

    @Test
    void whoMayCallNothingIsOfferedNothing() {
        ToolReader.Tools none = read("{\"tools\":[" + PING + "],\"tool_choice\":\"none\"}");
        assertThat(none.offered()).isEmpty();
        assertThat(none.rules()).isNull();
    }
}
