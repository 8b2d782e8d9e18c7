package coop.sahkar.worker.head;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.CallSyntax;
import java.time.LocalDateTime;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Functions and calls in conversations; templates written here in the manner of the big families.
 */
final class ChatToolsTest {
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 7, 4, 9, 5);
    private static final Tool ADD =
            new Tool(
                    "add",
                    "Adds.",
                    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}");
    private static final List<ChatTurn> TURNS =
            List.of(
                    new ChatTurn("user", "1+2?"),
                    new ChatTurn(
                            "assistant",
                            "",
                            List.of(new ChatTurn.Call("call_long_id", "add", "{\"a\":1}")),
                            ""),
                    new ChatTurn("tool", "3", List.of(), "call_long_id"));

    private static final String TAGGED =
            """
            {%- if tools %}
            {{- '<|im_start|>system\\n' }}
            {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n' }}{%- endif %}
            {%- for tool in tools %}{{- tool | tojson }}{{- '\\n' }}{%- endfor %}
            {{- 'Write <tool_call>JSON</tool_call>.<|im_end|>\\n' }}
            {%- endif %}
            {%- for message in messages %}
            {%- if message.role == 'assistant' and message.tool_calls %}
            {{- '<|im_start|>assistant' }}
            {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' + tool_call.name + '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
            {%- endfor %}
            {{- '<|im_end|>\\n' }}
            {%- elif message.role == 'tool' %}
            {{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
            {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
            {%- endif %}
            {%- endfor %}
            {%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
            """;

    private static String text(ChatTemplate template, List<ChatTurn> turns, List<Tool> tools) {
        assertThat(template.render(turns, tools, true, NOW))
                .isInstanceOf(ChatTemplate.Rendered.class);
        return ((ChatTemplate.Rendered) template.render(turns, tools, true, NOW)).text();
    }

    @Test
    void aTemplateThatKnowsFunctionsWritesThemItself() {
        ChatTemplate template = ChatTemplate.of(TAGGED, "", "");
        assertThat(template.check()).isEmpty();
        assertThat(template.callSyntax()).isEqualTo(CallSyntax.TAGGED);
        assertThat(text(template, TURNS, List.of(ADD)))
                .isEqualTo(
                        """
                        <|im_start|>system
                        {"type": "function", "function": {"name": "add", "description": "Adds.", \
                        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}}
                        Write <tool_call>JSON</tool_call>.<|im_end|>
                        <|im_start|>user
                        1+2?<|im_end|>
                        <|im_start|>assistant
                        <tool_call>
                        {"name": "add", "arguments": {"a": 1}}
                        </tool_call><|im_end|>
                        <|im_start|>user
                        <tool_response>
                        3
                        </tool_response><|im_end|>
                        <|im_start|>assistant
                        """);
    }

    @Test
    void aListBehindAControlTokenInTheMannerOfMistral() {
        String source =
                "{{ bos_token }}{% if tools %}[AVAILABLE_TOOLS] {{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}"
                        + "{% for m in messages %}{% if m.tool_calls is defined and m.tool_calls is not none %}"
                        + "[TOOL_CALLS] [{% for c in m.tool_calls %}{% if c.id|length != 9 %}"
                        + "{{ raise_exception('ids have nine characters') }}{% endif %}"
                        + "{{ '{\"name\": \"' + c.function.name + '\", \"arguments\": ' + (c.function.arguments | tojson)"
                        + " + ', \"id\": \"' + c.id + '\"}' }}{% endfor %}]{{ eos_token }}"
                        + "{% elif m.role == 'tool' %}[TOOL_RESULTS] {{ m.content }} {{ m.tool_call_id }}[/TOOL_RESULTS]"
                        + "{% else %}[INST] {{ m.content }}[/INST]{% endif %}{% endfor %}";
        ChatTemplate template = ChatTemplate.of(source, "<s>", "</s>");
        assertThat(template.callSyntax()).isEqualTo(CallSyntax.LISTED);
        assertThat(text(template, TURNS, List.of(ADD)))
                .endsWith(
                        "[INST] 1+2?[/INST][TOOL_CALLS] [{\"name\": \"add\", \"arguments\": {\"a\": 1}, "
                                + "\"id\": \"call00000\"}]</s>[TOOL_RESULTS] 3 call00000[/TOOL_RESULTS]");
    }

    @Test
    void theCallAloneInTheMannerOfLlama3() {
        String source =
                "{% if not tools is defined %}{% set tools = none %}{% endif %}"
                        + "{% if tools is not none %}{% for t in tools %}{{ t | tojson }}{% endfor %}{% endif %}"
                        + "{% for message in messages %}{% if 'tool_calls' in message %}"
                        + "{% set call = message.tool_calls[0].function %}"
                        + "{{ '{\"name\": \"' + call.name + '\", ' }}{{ '\"parameters\": ' }}{{ call.arguments | tojson }}"
                        + "{{ '}' }}{% else %}<{{ message.role }}>{{ message.content }}{% endif %}{% endfor %}";
        ChatTemplate template = ChatTemplate.of(source, "", "");
        assertThat(template.callSyntax()).isEqualTo(CallSyntax.BARE);
        assertThat(text(template, TURNS, List.of(ADD)))
                .endsWith("<user>1+2?{\"name\": \"add\", \"parameters\": {\"a\": 1}}<tool>3");
        assertThat(text(template, TURNS.subList(0, 1), List.of())).isEqualTo("<user>1+2?");
    }

    @Test
    void whatATemplateDoesNotKnowIsSaidInPlainWords() {
        ChatTemplate template = ChatTemplate.of(null, "", "");
        assertThat(template.callSyntax()).isEqualTo(CallSyntax.TAGGED);
        String said = text(template, TURNS, List.of(ADD));
        assertThat(said)
                .startsWith("<|im_start|>system\nYou may call functions:\n{\"name\": \"add\"")
                .contains(
                        "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\":1}}\n</tool_call>")
                .contains("<|im_start|>user\n<tool_response>\n3\n</tool_response><|im_end|>");
        List<ChatTurn> withSystem =
                List.of(new ChatTurn("system", "Be kind."), new ChatTurn("user", "Hi"));
        assertThat(text(template, withSystem, List.of(ADD)))
                .startsWith("<|im_start|>system\nBe kind.\n\nYou may call functions:");
    }

    @Test
    void aTemplateThatLeavesResultsOutIsNotTrusted() {
        String source = TAGGED.replace("message.role == 'tool'", "message.role == 'nobody'");
        ChatTemplate faithful = ChatTemplate.of(TAGGED, "", "");
        ChatTemplate forgetful =
                ChatTemplate.of(
                        source.replace("{%- else %}", "{%- elif message.role != 'tool' %}"),
                        "",
                        "");
        assertThat(text(faithful, TURNS, List.of(ADD))).doesNotContain("You may call functions");
        assertThat(text(forgetful, TURNS, List.of(ADD)))
                .contains("You may call functions", "<tool_response>\n3\n");
    }
}
