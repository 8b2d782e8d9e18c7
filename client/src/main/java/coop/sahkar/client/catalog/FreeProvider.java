package coop.sahkar.client.catalog;

import coop.sahkar.client.http.OpenAiProvider;
import coop.sahkar.client.provider.Allowance;
import coop.sahkar.client.provider.DataUse;
import coop.sahkar.client.provider.Offer;
import coop.sahkar.client.provider.Provider;

/**
 * A service that answers for free within limits.
 *
 * @param name short, for command lines
 * @param title what it is
 * @param keyVariable environment variable where its key is by custom
 * @param baseUrl where it listens
 * @param model one of its models
 * @param context longest context of that model, in tokens; 0: not known
 * @param limits in words
 * @param allowance the same in numbers, as far as they are known
 * @param retention what it keeps
 * @param training whether it trains on what it is sent: yes, no or unknown
 * @param lengthName what it calls the answer's length
 * @param streamUsage whether it takes {@code stream_options}
 */
public record FreeProvider(
        String name,
        String title,
        String keyVariable,
        Fact baseUrl,
        Fact model,
        Fact context,
        Fact limits,
        Allowance allowance,
        Fact retention,
        Fact training,
        String lengthName,
        boolean streamUsage) {

    /** What the training policy means for privacy; only a verified no is one. */
    public DataUse dataUse() {
        return switch (training.value()) {
            case "yes" -> DataUse.TRAINING;
            case "no" -> training.verified() ? DataUse.NO_TRAINING : DataUse.UNKNOWN;
            default -> DataUse.UNKNOWN;
        };
    }

    /**
     * The provider, kept within its free limits.
     *
     * @param key empty: none is sent
     * @param wanted the model to ask; empty: the catalog's
     * @param aliases names of that model in requests
     */
    public Provider provider(String key, String wanted, String... aliases) {
        Offer offer = Offer.of(wanted.isEmpty() ? model.value() : wanted).alias(aliases);
        boolean known = wanted.isEmpty() || wanted.equals(model.value());
        OpenAiProvider provider =
                OpenAiProvider.at(baseUrl.value())
                        .name(name)
                        .key(key)
                        .offers(known ? offer.context(Integer.parseInt(context.value())) : offer)
                        .dataUse(dataUse())
                        .allowance(allowance)
                        .lengthName(lengthName);
        return (streamUsage ? provider : provider.withoutStreamUsage()).build();
    }
}
