package coop.sahkar.proto;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is text and what is a call, however the answer is cut into pieces. */
class CallReaderTest {
    private static final CallRules BOTH = new CallRules(Set.of("look_up", "add"), true);

    /** Text in quotes, calls as name and arguments; a call that was not completed ends in "…". */
    private static String told(CallSyntax syntax, CallRules rules, List<String> pieces) {
        CallReader reader = new CallReader(syntax, rules);
        List<CallReader.Part> parts = new ArrayList<>();
        pieces.forEach(piece -> parts.addAll(reader.read(piece)));
        parts.addAll(reader.end());
        StringBuilder told = new StringBuilder();
        StringBuilder text = new StringBuilder();
        boolean open = false;
        for (CallReader.Part part : parts) {
            if (part instanceof CallReader.Part.Text(String more)) {
                text.append(more);
                continue;
            }
            told.append(quoted(text));
            switch (part) {
                case CallReader.Part.Text _ -> {}
                case CallReader.Part.Begun(int index, String name) -> {
                    told.append(index).append(':').append(name).append(' ');
                    open = true;
                }
                case CallReader.Part.Arguments(_, String more) -> told.append(more);
                case CallReader.Part.Ended _ -> {
                    told.append(';');
                    open = false;
                }
            }
        }
        return told.append(open ? "…" : "").append(quoted(text)).toString();
    }

    private static String quoted(StringBuilder text) {
        String quoted = text.isEmpty() ? "" : "'" + text + "'";
        text.setLength(0);
        return quoted;
    }

    private static List<String> cut(String text, Random random) {
        List<String> pieces = new ArrayList<>();
        int from = 0;
        while (from < text.length()) {
            int to = Math.min(text.length(), from + 1 + random.nextInt(6));
            pieces.add(text.substring(from, to));
            from = to;
        }
        return pieces;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "TAGGED|no calls at all| 'no calls at all'",
                "TAGGED|a < b <tool> <tool_cal| 'a < b <tool> <tool_cal'",
                "TAGGED|<tool_call>{`name`:`add`,`arguments`:{`a`:[1,2]}}</tool_call>| 0:add {`a`:[1,2]};",
                "TAGGED|Well. <tool_call> { `name` : `add`, `arguments` : {} } </tool_call> Done.| 'Well.'0:add {};'Done.'",
                "TAGGED|<tool_call>{`name`:`add`,`arguments`:{`a`:`}\\`{`}}</tool_call><tool_call>{`name`:`look_up`,`arguments`:{}}</tool_call>"
                        + "| 0:add {`a`:`}\\`{`};1:look_up {};",
                "TAGGED|<tool_call>{`name`:`add`,`arguments`:{`a`:1| 0:add {`a`:1…",
                "TAGGED|<tool_call>{`name`:`add`,`arg| '<tool_call>{`name`:`add`,`arg'",
                "TAGGED|<tool_call>{`name`:`unknown`,`arguments`:{}}</tool_call>| '<tool_call>{`name`:`unknown`,`arguments`:{}}</tool_call>'",
                "TAGGED|<tool_call>later</tool_call> <tool_call>{`name`:`add`,`arguments`:{}}| '<tool_call>later</tool_call>'0:add {};",
                "TAGGED|<tool_call>{`name`:`add`,`arguments`:{}| 0:add {};",
                "LISTED|[TOOL_CALLS] [{`name`:`add`,`arguments`:{`a`:1},`id`:`x12345678`}, {`name`:`add`,`arguments`:{}}]| 0:add {`a`:1};1:add {};",
                "LISTED|[{`name`:`add`,`arguments`:{}}]| 0:add {};",
                "LISTED|[1, 2]| '[1, 2]'",
                "LISTED|Numbers [{`name`:`add`,`arguments`:{}}]| 'Numbers [{`name`:`add`,`arguments`:{}}]'",
                "BARE|{`name`: `add`, `parameters`: {`a`: 1}}| 0:add {`a`: 1};",
                "BARE|{`name`: `add`, `parameters`: {}}; {`name`: `look_up`, `parameters`: {}}| 0:add {};1:look_up {};",
                "BARE|{`title`: `add`}| '{`title`: `add`}'",
                "BARE|So: {`name`: `add`, `parameters`: {}}| 'So: {`name`: `add`, `parameters`: {}}'",
            })
    void callsAreToldFromText(CallSyntax syntax, String answer, String expected) {
        String text = answer.replace('`', '"');
        String wanted = expected.replace('`', '"');
        assertThat(told(syntax, BOTH, List.of(text))).isEqualTo(wanted);
        for (int seed = 0; seed < 50; seed++) {
            assertThat(told(syntax, BOTH, cut(text, new Random(seed))))
                    .as("cut by %d", seed)
                    .isEqualTo(wanted);
        }
    }

    @Test
    void withoutParallelCallsNothingBehindTheFirstIsTold() {
        CallRules one = new CallRules(Set.of("add"), false);
        String call = "<tool_call>{\"name\":\"add\",\"arguments\":{}}</tool_call>";
        assertThat(told(CallSyntax.TAGGED, one, List.of("So." + call + call + "More.")))
                .isEqualTo("'So.'0:add {};");
    }

    @Test
    void textThatIsNoCallIsToldAtOnce() {
        CallReader reader = new CallReader(CallSyntax.TAGGED, BOTH);
        assertThat(reader.read("A worker <")).containsExactly(new CallReader.Part.Text("A worker"));
        assertThat(reader.read("b")).containsExactly(new CallReader.Part.Text(" <b"));
    }
}
