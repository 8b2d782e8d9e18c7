package coop.sahkar.client.provider;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is known of a provider before it is asked.
 *
 * @param name in results, reports and sentences; a client knows no two of one name
 * @param offers its models; empty: any name is passed on to it
 * @param features of models it was not told about
 * @param parameters options it takes beyond temperature, top_p, stop and the length, by their names
 *     in OpenAI's API
 * @param dataUse whether it trains on what it is sent
 * @param allowance what it allows the caller
 * @param patience how long it may be silent
 */
public record Profile(
        String name,
        List<Offer> offers,
        Set<Feature> features,
        Set<String> parameters,
        DataUse dataUse,
        Allowance allowance,
        Patience patience) {
    public Profile {
        offers = List.copyOf(offers);
        features = Set.copyOf(features);
        parameters = Set.copyOf(parameters);
        if (name.isBlank()) {
            throw new IllegalArgumentException("a provider needs a name");
        }
    }

    /**
     * The model meant by a name.
     *
     * @param name as requested; empty: the provider's first
     */
    public Optional<Offer> offer(String name) {
        if (offers.isEmpty()) {
            return name.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Offer(name, List.of(), 0, features, Price.FREE));
        }
        return offers.stream().filter(o -> name.isEmpty() || o.answersTo(name)).findFirst();
    }
}
