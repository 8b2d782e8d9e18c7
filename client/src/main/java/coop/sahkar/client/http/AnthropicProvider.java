package coop.sahkar.client.http;

import coop.sahkar.client.provider.Feature;
import coop.sahkar.client.provider.Provider;
import java.util.Set;

/**
 * Anthropic's Messages API, or a service that speaks it. Without plain prompts and JSON schemas.
 */
public final class AnthropicProvider extends ServiceBuilder<AnthropicProvider> {
    /** Where Anthropic listens. */
    public static final String BASE_URL = "https://api.anthropic.com/v1";

    private static final int USUAL_LENGTH_TOKENS = 2048;

    private boolean continues;

    private AnthropicProvider(String baseUrl) {
        super(baseUrl, Set.of(Feature.CHAT, Feature.TOOLS, Feature.VISION), Set.of("top_k"));
    }

    /** Anthropic itself. */
    public static AnthropicProvider anthropic() {
        return new AnthropicProvider(BASE_URL).name("anthropic");
    }

    /**
     * Another service that speaks this API.
     *
     * @param baseUrl what comes before {@code /messages}
     * @throws IllegalArgumentException in a sentence, if it is no URL
     */
    public static AnthropicProvider at(String baseUrl) {
        return new AnthropicProvider(baseUrl);
    }

    /** Its models go on with a begun answer; newer ones of Anthropic refuse to. */
    public AnthropicProvider continuing() {
        continues = true;
        return this;
    }

    /** The provider. */
    public Provider build() {
        return service(new AnthropicDialect(key(), USUAL_LENGTH_TOKENS), continues);
    }

    @Override
    AnthropicProvider self() {
        return this;
    }
}
