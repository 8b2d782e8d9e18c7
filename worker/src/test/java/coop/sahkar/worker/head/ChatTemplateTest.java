package coop.sahkar.worker.head;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Problem;
import java.time.LocalDateTime;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates written here in the manner of the big model families. */
@SuppressWarnings("StringConcatToTextBlock") // what the model sees, line break by line break
final class ChatTemplateTest {
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 7, 4, 9, 5);
    private static final ChatTurn SYSTEM = new ChatTurn("system", " Be kind. ");
    private static final ChatTurn USER = new ChatTurn("user", " Hi {{ 1 + 1 }} ");
    private static final ChatTurn ASSISTANT = new ChatTurn("assistant", "Yo");
    private static final ChatTurn MORE = new ChatTurn("user", "More");

    private static String render(String source, ChatTurn... turns) {
        ChatTemplate template = ChatTemplate.of(source, "<s>", "</s>");
        ChatTemplate.Rendering rendering = template.render(List.of(turns), true, NOW);
        assertThat(rendering).isInstanceOf(ChatTemplate.Rendered.class);
        return ((ChatTemplate.Rendered) rendering).text();
    }

    private static String refusal(String source, ChatTurn... turns) {
        ChatTemplate template = ChatTemplate.of(source, "<s>", "</s>");
        ChatTemplate.Rendering rendering = template.render(List.of(turns), true, NOW);
        assertThat(rendering).isInstanceOf(ChatTemplate.Refused.class);
        Problem problem = ((ChatTemplate.Refused) rendering).problem();
        assertThat(problem.kind()).isEqualTo(Problem.Kind.INVALID_REQUEST);
        return problem.message();
    }

    @Test
    void theBundledModelsTemplate() {
        String source =
                "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' +"
                        + " message['content'] + '<|end|>\\n' }}{% endfor %}"
                        + "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}";
        assertThat(render(source, new ChatTurn("user", "Can you explain Sahkar?")))
                .isEqualTo("<|user|>\nCan you explain Sahkar?<|end|>\n<|assistant|>\n");
    }

    @Test
    void theDefaultIsLikeChatMl() {
        assertThat(render("", ASSISTANT, MORE))
                .isEqualTo(
                        "<|im_start|>assistant\nYo<|im_end|>\n<|im_start|>user\nMore<|im_end|>\n"
                                + "<|im_start|>assistant\n");
        assertThat(ChatTemplate.of(" ", "", "").check()).isEmpty();
    }

    @Test
    void systemDefaultInTheMannerOfQwen() {
        String source =
                """
                {%- if messages[0]['role'] == 'system' -%}
                    {{- '<|im_start|>system\\n' + messages[0]['content'].strip() + '<|im_end|>\\n' }}
                {%- else %}
                    {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}
                {%- endif %}
                {%- for message in messages %}
                    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
                        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
                    {%- endif %}
                {%- endfor %}
                {%- if add_generation_prompt %}
                    {{- '<|im_start|>assistant\\n' }}
                {%- endif %}
                """;
        assertThat(render(source, SYSTEM, USER, ASSISTANT))
                .isEqualTo(
                        "<|im_start|>system\nBe kind.<|im_end|>\n"
                                + "<|im_start|>user\n Hi {{ 1 + 1 }} <|im_end|>\n"
                                + "<|im_start|>assistant\nYo<|im_end|>\n<|im_start|>assistant\n");
        assertThat(render(source, MORE))
                .startsWith("<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\nMore");
    }

    @Test
    void bracketsInTheMannerOfLlama2() {
        String source =
                "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
                        + "{% set system_message = messages[0]['content'] %}{% else %}"
                        + "{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
                        + "{% for message in loop_messages %}"
                        + "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
                        + "{{ raise_exception('Roles must alternate') }}{% endif %}"
                        + "{% if loop.index0 == 0 and system_message != false %}"
                        + "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' +"
                        + " message['content'] %}{% else %}{% set content = message['content'] %}"
                        + "{% endif %}{% if message['role'] == 'user' %}"
                        + "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
                        + "{% elif message['role'] == 'assistant' %}"
                        + "{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}";
        assertThat(render(source, SYSTEM, USER, ASSISTANT, MORE))
                .isEqualTo(
                        "<s>[INST] <<SYS>>\n Be kind. \n<</SYS>>\n\n Hi {{ 1 + 1 }} [/INST] Yo </s>"
                                + "<s>[INST] More [/INST]");
        assertThat(refusal(source, ASSISTANT))
                .isEqualTo(
                        "The model's chat template refuses this conversation: Roles must alternate");
        assertThat(ChatTemplate.of(source, "<s>", "</s>").check()).isEmpty();
    }

    @Test
    void headersInTheMannerOfLlama3() {
        String source =
                """
                {{- bos_token }}
                {%- if not date_string is defined %}
                    {%- if strftime_now is defined %}{% endif %}
                    {%- set date_string = strftime_now("%d %b %Y") %}
                {%- endif %}
                {#- The system message comes first. #}
                {%- if messages[0]['role'] == 'system' %}
                    {%- set system_message = messages[0]['content'] | trim %}
                    {%- set messages = messages[1:] %}
                {%- else %}
                    {%- set system_message = "" %}
                {%- endif %}
                {{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
                {{- "Today Date: " + date_string + "\\n\\n" }}
                {{- system_message }}
                {{- "<|eot_id|>" }}
                {%- for message in messages %}
                    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
                {%- endfor %}
                {%- if add_generation_prompt %}
                    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
                {%- endif %}
                """;
        assertThat(render(source, SYSTEM, USER))
                .isEqualTo(
                        "<s><|start_header_id|>system<|end_header_id|>\n\n"
                                + "Today Date: 04 Jul 2026\n\nBe kind.<|eot_id|>"
                                + "<|start_header_id|>user<|end_header_id|>\n\nHi {{ 1 + 1 }}<|eot_id|>"
                                + "<|start_header_id|>assistant<|end_header_id|>\n\n");
    }

    @Test
    void renamedRolesAndNoSystemInTheMannerOfGemma() {
        String source =
                "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
                        + "{{ raise_exception('System role not supported') }}{% endif %}"
                        + "{% for message in messages %}{% if (message['role'] == 'assistant') %}"
                        + "{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
                        + "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim +"
                        + " '<end_of_turn>\\n' }}{% endfor %}"
                        + "{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}";
        assertThat(render(source, USER, ASSISTANT))
                .isEqualTo(
                        "<s><start_of_turn>user\nHi {{ 1 + 1 }}<end_of_turn>\n"
                                + "<start_of_turn>model\nYo<end_of_turn>\n<start_of_turn>model\n");
        assertThat(refusal(source, SYSTEM, USER)).contains("System role not supported");
        assertThat(ChatTemplate.of(source, "<s>", "</s>").check()).isEmpty();
    }

    @Test
    void namespacesMacrosAndReversalInTheMannerOfToolTemplates() {
        String source =
                """
                {%- macro turn(role, text='') -%}
                <{{ role }}>{{ text }}</{{ role }}>
                {%- endmacro -%}
                {%- set ns = namespace(last_user=-1, seen=false) -%}
                {%- for message in messages[::-1] -%}
                  {%- if not ns.seen and message.role == 'user' -%}
                    {%- set ns.seen = true -%}
                    {%- set ns.last_user = messages|length - 1 - loop.index0 -%}
                  {%- endif -%}
                {%- endfor -%}
                {%- for message in messages -%}
                  {{- turn(message.role, text=message.content) -}}
                  {%- if loop.index0 == ns.last_user -%}*{%- endif -%}
                  {%- if not loop.last -%}{{ ',' }}{%- endif -%}
                {%- endfor -%}
                {{- ' ' ~ messages|length ~ ' ' ~ ({'n': [1, true, none]} | tojson) -}}
                """;
        assertThat(render(source, MORE, ASSISTANT, MORE, ASSISTANT))
                .isEqualTo(
                        "<user>More</user>,<assistant>Yo</assistant>,<user>More</user>*,"
                                + "<assistant>Yo</assistant> 4 {\"n\": [1, true, null]}");
    }

    @Test
    void pythonsTextMethods() {
        String source =
                "{% set c = messages[0].content %}{{ c.strip().upper() }}|{{ c.split(' ')[1] }}|"
                        + "{{ c.startswith(' H') }}|{{ c.lstrip() }}|{{ c.rstrip() }}|{{ c.strip()[0] }}|"
                        + "{{ c.strip()[3:] }}|{{ 'a|b|c'.split('|')[-1] }}|{{ 'x-y'.replace('-', '+') }}|"
                        + "{{ 'aXb'.title() }}|{{ c.endswith('z') }}|{{ '\\n\\nx'.lstrip('\\n') }}";
        assertThat(render(source, USER))
                .isEqualTo(
                        "HI {{ 1 + 1 }}|Hi|true|Hi {{ 1 + 1 }} | Hi {{ 1 + 1 }}|H|{{ 1 + 1 }}|c|x+y|"
                                + "Axb|false|x");
    }

    @Test
    void negationBindsAsInPython() {
        assertThat(render("{{ 'a' if not messages[0].role == 'user' else 'b' }}", USER))
                .isEqualTo("b");
        assertThat(
                        render(
                                "{% if not add_generation_prompt is defined %}a{% else %}b{% endif %}",
                                USER))
                .isEqualTo("b");
        assertThat(render("{{ 'a' if not 'x' in ['x'] and true else 'b' }}", USER)).isEqualTo("b");
        assertThat(render("{{ 'a' if 'x' not in ['y'] else 'b' }}", USER)).isEqualTo("a");
        assertThat(render("{{ 'a' if not (not (1 == 1)) else 'b' }}", USER)).isEqualTo("a");
        assertThat(render("{{ 'a' if nothing is not defined else 'b' }}", USER)).isEqualTo("a");
    }

    @Test
    void blanksAreKeptAndDroppedAsInJinja2() {
        assertThat(render("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", USER))
                .isEqualTo("a\n  b\nc");
        assertThat(render("a\n  {#- gone #}\n  b {# kept blank #} c", USER)).isEqualTo("a  b  c");
        assertThat(render("x\n  {# whole line #}\ny", USER)).isEqualTo("x\ny");
        assertThat(render("{% generation %}\nx{% endgeneration %}", USER)).isEqualTo("x");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ messages | nosuchfilter }}",
                "{{ messages is nosuchtest }}",
                "{{ nosuchfunction(1) }}",
                "{{ messages[0].content.getClass() }}",
                "{{ messages[0].content.getBytes() }}",
                "{{ messages.getClass().forName('java.lang.Runtime') }}",
                "{% for m in messages if m.role %}{% endfor %}",
                "{% for m in messages %}{% else %}x{% endfor %}",
                "{% include '/etc/passwd' %}",
                "{% import 'x' as y %}",
                "{% if messages %}",
                "{% endif %}",
                "{% unknown %}",
                "{{ 'x",
                "{{ 1 + }}",
                "{{ 'x' * 3 }}",
                "{{ strftime_now('%Q') }}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "says nothing of what the user says",
            })
    void whatCannotBeRenderedFaithfullyIsNotPublished(String source) {
        assertThat(ChatTemplate.of(source, "<s>", "</s>").check())
                .hasValueSatisfying(problem -> assertThat(problem.message()).isNotBlank());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}"
                        + "{% endfor %}{% endfor %}{% endfor %}",
                "{% for a in range(999) %}{% for b in range(999) %}xxxxxxxxxx{% endfor %}{% endfor %}",
                "{% set x = 'xxxxxxxxxxxxxxxx' %}{% for a in range(99) %}{% set x = x ~ x %}{% endfor %}{{ x }}",
                "{{ range(999999999) }}",
            })
    void endlessTemplatesEnd(String source) {
        assertThat(ChatTemplate.of(source, "<s>", "</s>").check()).isPresent();
    }

    @Test
    void aBeginOfTextThatTheTemplateWritesIsNoticed() {
        ChatTemplate with = ChatTemplate.of("{{ bos_token }}{{ messages[0].content }}", "<s>", "");
        ChatTemplate without = ChatTemplate.of("{{ messages[0].content }}", "<s>", "");
        assertThat(with.render(List.of(MORE), true, NOW))
                .isEqualTo(new ChatTemplate.Rendered("<s>More", true));
        assertThat(without.render(List.of(MORE), true, NOW))
                .isEqualTo(new ChatTemplate.Rendered("More", false));
    }
}
