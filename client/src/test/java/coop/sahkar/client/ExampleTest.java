package coop.sahkar.client;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.client.http.FakeService;
import coop.sahkar.client.http.OpenAiProvider;
import coop.sahkar.client.pool.PoolProvider;
import coop.sahkar.client.provider.Allowance;
import coop.sahkar.client.provider.DataUse;
import coop.sahkar.client.provider.Offer;
import coop.sahkar.client.provider.Provider;
import coop.sahkar.client.routing.Policy;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Compiles and runs the examples of the Javadoc. */
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

    @Test
    void theExampleWithSeveralProvidersRuns() throws Exception {
        try (FakeService away = new FakeService(FakeService.refusing(503, "{}"));
                FakePool pool = FakePool.saying("From the pool.")) {
            assertThat(severalProviders(away.url(), pool.address()))
                    .isEqualTo("From the pool. [answered by pool after 3 others]");
        }
    }

    private static String severalProviders(String url, String coordinator) {
        // @start region="providers"
        Provider mine =
                OpenAiProvider.at(url)
                        .name("mine")
                        .offers(Offer.of("llama-8b").alias("small"))
                        .build();
        Provider pool = PoolProvider.at(coordinator).offering(Offer.of("tiny").alias("small"));
        try (InferenceClient client =
                InferenceClient.builder()
                        .providers(mine, pool)
                        .policy(Policy.FALLBACK.allowContinuing())
                        .build()) {
            Completion answer = client.complete(InferenceRequest.ask("small", "Who answers?"));
            return "%s [answered by %s after %d others]"
                    .formatted(
                            answer.text(),
                            answer.parts().getLast().provider(),
                            answer.tried().size());
        }
        // @end
    }

    @Test
    void theExampleOfAServiceRuns() throws Exception {
        try (FakeService service = new FakeService(FakeService.saying("Yes."))) {
            try (InferenceClient client =
                    InferenceClient.builder().providers(service(service.url(), "key")).build()) {
                assertThat(client.complete(InferenceRequest.ask("", "Are you there?")).text())
                        .isEqualTo("Yes.");
            }
        }
    }

    private static Provider service(String url, String key) {
        // @start region="openai"
        return OpenAiProvider.at(url)
                .name("groq")
                .key(key)
                .offers(Offer.of("openai/gpt-oss-120b").context(131_072).alias("large"))
                .allowance(Allowance.requests(30, 1000).tokens(8_000, 200_000))
                .dataUse(DataUse.NO_TRAINING)
                .build();
        // @end
    }
}
