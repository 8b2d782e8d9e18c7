package coop.sahkar.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Compiles and runs the example of {@link InferenceClient}'s Javadoc. */
class ExampleTest {

    @Test
    void theExampleRuns() throws Exception {
        try (FakePool pool = FakePool.saying("A computer", " that lends", " a hand.")) {
            assertThat(example(pool.address())).isEqualTo("A computer that lends a hand. 3 tokens");
        }
    }

    private static String example(String address) {
        StringBuilder screen = new StringBuilder();
        // @start region="example"
        try (InferenceClient client = InferenceClient.connect(address)) {
            GenerationOptions options =
                    GenerationOptions.builder().temperature(0).maxTokens(200).build();
            List<ChatMessage> messages = List.of(ChatMessage.user("What is a worker?"));
            InferenceRequest request =
                    InferenceRequest.chat("sahkar-tiny-q8_0", messages).with(options);
            try (TokenStream answer = client.stream(request)) {
                while (answer.hasNext()) {
                    screen.append(answer.next().text());
                }
                int tokens = answer.completion().usage().completionTokens();
                screen.append(" %d tokens".formatted(tokens));
            } catch (InferenceException.Overloaded busy) {
                screen.append("Busy; try again in ").append(busy.retryAfter());
            }
        }
        // @end
        return screen.toString();
    }
}
