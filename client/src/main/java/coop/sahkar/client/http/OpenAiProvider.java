package coop.sahkar.client.http;

import coop.sahkar.client.provider.Feature;
import coop.sahkar.client.provider.Provider;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Any service that speaks OpenAI's API, by its base URL: OpenAI, Gemini, DeepSeek, Together,
 * Cohere, Perplexity, Hugging Face, Groq, vLLM, TGI, llama-server, Ollama, another Sahkar gateway.
 *
 * {@snippet file="coop/sahkar/client/ExampleTest.java" region="openai"}
 */
public final class OpenAiProvider extends ServiceBuilder<OpenAiProvider> {
    private final SortedMap<String, String> headers = new TreeMap<>();
    private String lengthName = "max_tokens";
    private boolean streamUsage = true;
    private Continuation continuation = Continuation.NONE;

    private OpenAiProvider(String baseUrl) {
        super(
                baseUrl,
                Set.of(Feature.CHAT, Feature.PROMPT),
                Set.of("seed", "frequency_penalty", "presence_penalty", "logit_bias"));
    }

    /**
     * A service.
     *
     * @param baseUrl what comes before {@code /chat/completions}
     * @throws IllegalArgumentException in a sentence, if it is no URL
     */
    public static OpenAiProvider at(String baseUrl) {
        return new OpenAiProvider(baseUrl);
    }

    /** A header that every request carries. */
    public OpenAiProvider header(String header, String value) {
        headers.put(header, value);
        return this;
    }

    /** What it calls the answer's length; OpenAI's newer models say max_completion_tokens. */
    public OpenAiProvider lengthName(String value) {
        lengthName = value;
        return this;
    }

    /** For services that stumble over {@code stream_options}; tokens are estimated then. */
    public OpenAiProvider withoutStreamUsage() {
        streamUsage = false;
        return this;
    }

    /** How it goes on with a begun answer. Default: it cannot. */
    public OpenAiProvider continuation(Continuation value) {
        continuation = value;
        return this;
    }

    /** The provider. */
    public Provider build() {
        OpenAiDialect dialect =
                new OpenAiDialect(
                        key(), headers, lengthName, streamUsage, continuation, parameters());
        return service(dialect, continuation != Continuation.NONE);
    }

    @Override
    OpenAiProvider self() {
        return this;
    }
}
