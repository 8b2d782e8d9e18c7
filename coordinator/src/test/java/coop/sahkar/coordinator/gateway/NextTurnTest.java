package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Secret;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.RunRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which chats are found again, by whom and for how long; and that the gateway asks so. */
class NextTurnTest {
    private static final Secret KEY = new Secret(new byte[] {1, 2, 3});
    private static final int REST_MILLIS = 1000;

    private final Conversations conversations = new Conversations(2);

    private static GenerateRequest chat(String... messages) {
        Chat.Builder chat = Chat.newBuilder();
        for (int i = 0; i < messages.length; i++) {
            chat.addMessages(
                    ChatMessage.newBuilder()
                            .setRole(i % 2 == 0 ? "user" : "assistant")
                            .setContent(messages[i]));
        }
        return GenerateRequest.newBuilder().setModel("m").setChat(chat).build();
    }

    private static GenerateRequest prompt(String text) {
        return GenerateRequest.newBuilder().setModel("m").setPrompt(text).build();
    }

    private static Ticket ticket(int session) {
        RouteStage stage = new RouteStage("w", "host:1", new Span(0, 6));
        return new Ticket(
                new SessionId(0, session),
                3,
                ScriptedPool.MODEL,
                6,
                List.of(stage),
                "",
                100,
                Long.MAX_VALUE,
                1);
    }

    private static Trail trail(String account, GenerateRequest request) {
        return Trail.of(KEY, account, request);
    }

    private void answered(int session, GenerateRequest request, String... pieces) {
        Trail trail = trail("anna", request);
        for (String piece : pieces) {
            trail.answer(piece);
        }
        conversations.put(trail, ticket(session), 0, REST_MILLIS);
    }

    @Test
    void aChatThatGoesOnIsFoundOnce() {
        answered(7, chat("Hi"), "Hel", "lo");
        GenerateRequest next = chat("Hi", "Hello", "How are you?");
        assertThat(conversations.take(trail("anna", next), 1))
                .isEqualTo(new Conversations.Rested(new SessionId(0, 7), 3, List.of("w")));
        assertThat(conversations.take(trail("anna", next), 1)).isNull();
    }

    @Test
    void anotherAccountAnotherAnswerAndAnotherKeyFindNothing() {
        answered(7, chat("Hi"), "Hello");
        GenerateRequest next = chat("Hi", "Hello", "How are you?");
        assertThat(conversations.take(trail("berta", next), 1)).isNull();
        assertThat(conversations.take(trail("anna", chat("Hi", "Hallo", "And?")), 1)).isNull();
        assertThat(conversations.take(trail("anna", chat("HiH", "ello", "And?")), 1)).isNull();
        Secret other = new Secret(new byte[] {4});
        assertThat(conversations.take(Trail.of(other, "anna", next), 1)).isNull();
        assertThat(conversations.take(trail("anna", next), REST_MILLIS)).as("too late").isNull();
    }

    @Test
    void aPromptThatGoesOnIsFound() {
        String prompt = "A co-operative belongs to those who use it. ".repeat(5);
        answered(7, prompt(prompt), "It ends", " here.");
        String next = prompt + "It ends here. Not yet.";
        assertThat(conversations.take(trail("berta", prompt(next)), 1)).isNull();
        assertThat(conversations.take(trail("anna", chat(next)), 1)).isNull();
        assertThat(conversations.take(trail("anna", prompt("Not a co-op. " + next)), 1)).isNull();
        assertThat(conversations.take(trail("anna", prompt(next)), 1))
                .isEqualTo(new Conversations.Rested(new SessionId(0, 7), 3, List.of("w")));
        assertThat(conversations.take(trail("anna", prompt(next)), 1)).isNull();
    }

    @Test
    void ofAPromptAndItsAnswerOnlyWholeLinksCount() {
        String link = "x".repeat(PromptTrail.LINK_BYTES);
        answered(1, prompt(link.substring(2)), "x");
        assertThat(conversations.size()).as("too short to rest").isZero();
        answered(2, prompt(link), "edited away");
        assertThat(conversations.take(trail("anna", prompt(link + " and on")), 1)).isNotNull();
        answered(3, prompt(link.substring(1)), "x" + "y".repeat(PromptTrail.LINK_BYTES) + "z");
        assertThat(conversations.take(trail("anna", prompt(link + " and on")), 1)).isNull();
        assertThat(conversations.take(trail("anna", prompt(link + link.replace('x', 'y'))), 1))
                .isNotNull();
    }

    @Test
    void theOldestIsForgottenWhenThereAreTooMany() {
        for (int i = 0; i < 3; i++) {
            answered(i, chat("Hi " + i), "Hello");
        }
        assertThat(conversations.size()).isEqualTo(2);
        assertThat(conversations.take(trail("anna", chat("Hi 0", "Hello", "?")), 1)).isNull();
        assertThat(conversations.take(trail("anna", chat("Hi 1", "Hello", "?")), 1)).isNotNull();
    }

    @Test
    void theGatewayGoesOnInTheSessionUnlessThePolicyForbidsIt() {
        try (GatewayFixture fixture = new GatewayFixture()) {
            ScriptedHead head = fixture.head("w", ScriptedHead.saying("A worker ", "lends."));
            fixture.pool.restMillis = 60_000;
            fixture.caller.chat(GatewayFixture.chat(""));
            fixture.caller.chat(next());
            fixture.pool.restMillis = 0;
            fixture.caller.chat(next());
            List<RunRequest> asked = head.requests;
            assertThat(asked).extracting(RunRequest::getTurn).containsExactly(1, 2, 1);
            assertThat(asked)
                    .extracting(RunRequest::getRestMillis)
                    .containsExactly(60_000, 60_000, 0);
            assertThat(fixture.pool.draws.get(1).session()).isNotNull();
            assertThat(fixture.pool.draws.get(1).epoch()).isEqualTo(1);
            assertThat(fixture.pool.draws.getLast().session()).isNull();
        }
    }

    @Test
    void aChatWhoseLastAnswerWasACallIsFoundHoweverItsArgumentsAreSpaced() {
        try (GatewayFixture fixture = new GatewayFixture()) {
            ScriptedHead head =
                    fixture.head(
                            "w",
                            ScriptedHead.saying(
                                    "I add.\n<tool",
                                    "_call>{\"name\": \"add\", \"arguments\": {\"a\": 1,",
                                    " \"b\": [2]}}</tool_call>\n"));
            fixture.pool.restMillis = 60_000;
            String text =
                    fixture.caller
                            .chat(afterCalls("", ""))
                            .json()
                            .at("/choices/0/message/content")
                            .stringValue();
            fixture.caller.chat(
                    afterCalls(text.replace("\n", "\\n"), "{\\\"a\\\":1,\\\"b\\\":[2]}"));
            fixture.caller.chat(afterCalls("", ""));
            fixture.caller.chat(
                    afterCalls(text.replace("\n", "\\n"), "{\\\"a\\\":1,\\\"b\\\":[3]}"));
            assertThat(head.requests).extracting(RunRequest::getTurn).containsExactly(1, 2, 1, 1);
        }
    }

    /** A question, and unless they are empty a call with these arguments and what came of it. */
    private static String afterCalls(String text, String arguments) {
        String turns =
                """
                ,{"role":"assistant","content":"%s","tool_calls":[{"id":"c","type":"function",\
                "function":{"name":"add","arguments":"%s"}}]},\
                {"role":"tool","tool_call_id":"c","content":"3"}\
                """
                        .formatted(text, arguments);
        return """
        {"model":"%s","messages":[{"role":"user","content":"Add."}%s],\
        "tools":[{"type":"function","function":{"name":"add","parameters":{"type":"object"}}}]}\
        """
                .formatted(ScriptedPool.NAME, arguments.isEmpty() ? "" : turns);
    }

    private static String next() {
        return """
        {"model":"%s","messages":[{"role":"user","content":"What is a worker?"},\
        {"role":"assistant","content":"A worker lends."},{"role":"user","content":"Why?"}]}\
        """
                .formatted(ScriptedPool.NAME);
    }
}
