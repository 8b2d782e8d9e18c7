package coop.sahkar.client.provider;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * A model that a provider offers.
 *
 * @param model its name there
 * @param aliases other names that requests may use for it, so that one name finds the same model,
 *     or one as good, at several providers
 * @param contextTokens longest context; 0: not known
 * @param features what it may be asked for
 * @param price what its tokens cost
 */
public record Offer(
        String model, List<String> aliases, int contextTokens, Set<Feature> features, Price price) {
    public Offer {
        aliases = List.copyOf(aliases);
        features = Set.copyOf(features);
        if (model.isBlank() || contextTokens < 0) {
            throw new IllegalArgumentException(
                    "an offer needs a model's name, and a context of 0 or more");
        }
    }

    /** A free model with a conversation's features and a context that is not known. */
    public static Offer of(String model) {
        return new Offer(model, List.of(), 0, Set.of(Feature.CHAT, Feature.PROMPT), Price.FREE);
    }

    public Offer alias(String... names) {
        return new Offer(model, Arrays.asList(names), contextTokens, features, price);
    }

    public Offer context(int tokens) {
        return new Offer(model, aliases, tokens, features, price);
    }

    public Offer features(Feature... all) {
        return new Offer(model, aliases, contextTokens, Set.of(all), price);
    }

    public Offer price(Price tokens) {
        return new Offer(model, aliases, contextTokens, features, tokens);
    }

    /** Whether a request for this name means this model. */
    public boolean answersTo(String name) {
        return model.equals(name) || aliases.contains(name);
    }
}
