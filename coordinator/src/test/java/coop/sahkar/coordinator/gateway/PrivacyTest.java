package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import io.grpc.Status;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Prompts and answers never reach a log, not even a verbose one, whatever happens to them. */
class PrivacyTest {
    private static final String PROMPT = "marker-of-the-prompt";
    private static final String ANSWER = "marker-of-the-answer";

    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final Level before = root.getLevel();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listen() {
        log.start();
        root.setLevel(Level.DEBUG);
        root.detachAndStopAllAppenders();
        root.addAppender(log);
    }

    @AfterEach
    void restore() {
        root.detachAppender(log);
        root.setLevel(before);
    }

    @Test
    void nothingQuotesAPromptOrAnAnswer() {
        try (GatewayFixture fixture = new GatewayFixture()) {
            fixture.head(
                    "dies",
                    (_, call) -> {
                        call.started();
                        call.token(0, ANSWER);
                        call.out.onError(Status.UNAVAILABLE.asRuntimeException());
                    });
            fixture.head(
                    "breaks",
                    (_, _) -> {
                        throw new IllegalStateException("a bug of the head");
                    });
            fixture.head("lives", ScriptedHead.saying(ANSWER, ANSWER));
            List<String> bodies =
                    List.of(
                            body(PROMPT, ",\"stream\":true"),
                            body(PROMPT, ""),
                            body(PROMPT, ",\"n\":2"),
                            body(PROMPT, ",\"temperature\":\"" + PROMPT + "\""),
                            body(PROMPT, "").replace("tiny-Q8_0", PROMPT),
                            "{\"" + PROMPT + "\":" + PROMPT);
            bodies.forEach(body -> fixture.caller.chat(body));
        }
        assertThat(List.copyOf(log.list))
                .isNotEmpty()
                .allSatisfy(event ->
                        assertThat(
                                        event.getFormattedMessage()
                                                + ThrowableProxyUtil.asString(
                                                        event.getThrowableProxy()))
                                .doesNotContain(PROMPT)
                                .doesNotContain(ANSWER));
    }

    private static String body(String prompt, String more) {
        return """
        {"model":"tiny-Q8_0","messages":[{"role":"user","content":"%s"}]%s}\
        """
                .formatted(prompt, more);
    }
}
