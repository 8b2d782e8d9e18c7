package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.linecorp.armeria.common.HttpData;
import coop.sahkar.proto.CallRules;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.CallSyntaxMessage;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.ResumePoint;
import coop.sahkar.proto.v1.Started;
import coop.sahkar.proto.v1.StreamPlace;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Streams that break off behind any event and go on elsewhere, where the text comes otherwise. */
class MarkedFormatTest {
    private static final String TOLD = "Größe ✓ 🙂 of a worker, and then some more of it.";
    private static final String CALLED =
            "Let me see. <tool_call>\n{\"name\": \"look\", \"arguments\": {\"q\": \"a }\\\" b\"}}\n</tool_call>"
                    + "<tool_call>{\"name\": \"look\", \"arguments\": {}}</tool_call>";
    private static final Finished END =
            Finished.newBuilder()
                    .setReason(FinishReason.FINISH_REASON_STOP)
                    .setPromptTokens(7)
                    .setCompletionTokens(30)
                    .build();

    @ParameterizedTest
    @ValueSource(strings = {TOLD, CALLED})
    void whereverItBreaksOffTheRestFollowsOnce(String text) {
        for (int seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            List<String> whole = stream(format(null), pieces(text, random));
            for (int seen = 1; seen <= whole.size(); seen++) {
                List<String> events = new ArrayList<>(whole.subList(0, seen));
                StreamPlace place = place(events.getLast());
                events.addAll(stream(format(place), pieces(text, random)));
                assertThat(said(events)).as("seed %d, %d seen", seed, seen).isEqualTo(said(whole));
            }
        }
    }

    @Test
    void aTextThatReadsOtherwiseEndsInsteadOfGoingOn() {
        List<String> whole = stream(format(null), List.of("A worker ", "works."));
        StreamPlace place = place(whole.get(1));
        for (List<String> other : List.of(List.of("A helper ", "works."), List.of("A w"))) {
            MarkedFormat again = format(place);
            assertThat(stream(again, other)).isEmpty();
            assertThat(again.fault()).isNotNull().extracting(Problem::kind).isNotNull();
        }
    }

    private static MarkedFormat format(@Nullable StreamPlace seen) {
        AnswerShape shape = new AnswerShape(true, "chatcmpl-1", 1, "m", true);
        CallRules rules = new CallRules(Set.of("look"), true);
        return new MarkedFormat(new OpenAiFormat(shape, 1, rules), _ -> "mark", () -> 5_000, seen);
    }

    /** The events of an answer that comes in these pieces, until it cannot be written on. */
    private static List<String> stream(MarkedFormat format, List<String> pieces) {
        List<HttpData> events = new ArrayList<>();
        format.started(
                Started.newBuilder()
                        .setModelId("m")
                        .setCallSyntax(CallSyntaxMessage.CALL_SYNTAX_TAGGED)
                        .setResume(ResumePoint.newBuilder().setAskedAtMillis(1_000))
                        .build());
        events.addAll(format.opening(0));
        for (String piece : pieces) {
            events.addAll(format.piece(0, Delta.newBuilder().addTokens(1).setText(piece).build()));
        }
        if (format.fault() == null) {
            events.addAll(format.ended(0, END));
        }
        if (format.fault() == null) {
            events.addAll(format.closing(END));
        }
        return events.stream().map(HttpData::toStringUtf8).toList();
    }

    private static List<String> pieces(String text, Random random) {
        int[] points = text.codePoints().toArray();
        List<String> pieces = new ArrayList<>();
        for (int at = 0; at < points.length; ) {
            int length = Math.min(points.length - at, random.nextInt(9));
            pieces.add(new String(points, at, length));
            at += length;
        }
        return pieces;
    }

    private static StreamPlace place(String event) {
        assertThat(event).startsWith("id: mark.");
        String id = event.substring("id: mark.".length(), event.indexOf('\n'));
        try {
            return StreamPlace.parseFrom(
                    Base64.getUrlDecoder().decode(id.getBytes(StandardCharsets.US_ASCII)));
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    /** What a reader makes of the events: the text, the calls, and how it ended. */
    private static String said(List<String> events) {
        StringBuilder said = new StringBuilder();
        int roles = 0;
        for (String event : events) {
            String data = event.substring(event.indexOf("data: ") + 6).strip();
            if (data.equals("[DONE]")) {
                said.append("|done");
                continue;
            }
            JsonNode json = Caller.JSON.readTree(data);
            JsonNode delta = json.at("/choices/0/delta");
            roles += delta.has("role") ? 1 : 0;
            said.append(delta.path("content").asString(""));
            JsonNode call = delta.at("/tool_calls/0");
            if (call.has("id")) {
                said.append("|call ").append(call.get("id")).append(call.at("/function/name"));
            }
            said.append(call.at("/function/arguments").asString(""));
            said.append(json.at("/choices/0/finish_reason").asString("").isEmpty() ? "" : "|end");
            said.append(json.path("usage").isObject() ? "|usage" : "");
        }
        return said + "|" + roles;
    }
}
