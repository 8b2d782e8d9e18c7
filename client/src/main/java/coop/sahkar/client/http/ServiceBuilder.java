package coop.sahkar.client.http;

import coop.sahkar.client.provider.Allowance;
import coop.sahkar.client.provider.DataUse;
import coop.sahkar.client.provider.Feature;
import coop.sahkar.client.provider.Offer;
import coop.sahkar.client.provider.Patience;
import coop.sahkar.client.provider.Profile;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What all services over HTTP are told about. */
abstract sealed class ServiceBuilder<B extends ServiceBuilder<B>>
        permits OpenAiProvider, AnthropicProvider {
    private final URI base;
    private String name;
    private final List<Offer> offers = new ArrayList<>();
    private final EnumSet<Feature> features;
    private final Set<String> parameters;
    private DataUse dataUse;
    private Allowance allowance = Allowance.UNBOUNDED;
    private Patience patience = Patience.DEFAULT;
    private String key = "";

    ServiceBuilder(String baseUrl, Set<Feature> features, Set<String> parameters) {
        this.base = HttpService.base(baseUrl);
        this.name = base.getHost();
        this.features = EnumSet.copyOf(features);
        this.parameters = new TreeSet<>(parameters);
        this.dataUse = isThisMachine(base.getHost()) ? DataUse.NO_TRAINING : DataUse.UNKNOWN;
    }

    private static boolean isThisMachine(String host) {
        return host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]");
    }

    abstract B self();

    /** What results and sentences call it. Default: the host's name. */
    public B name(String value) {
        name = value;
        return self();
    }

    /** The key it asks for. Default: none is sent. */
    public B key(String value) {
        key = value;
        return self();
    }

    /** Its models, the usual one first. Default: any name a request says is passed on. */
    public B offers(Offer... values) {
        offers.addAll(Arrays.asList(values));
        return self();
    }

    /** What models can do that were not named by {@link #offers}. */
    public B features(Feature... values) {
        features.clear();
        features.addAll(Arrays.asList(values));
        return self();
    }

    /** Options it takes beyond the common ones, by name, for example {@code top_k}. */
    public B takes(String... names) {
        parameters.addAll(Arrays.asList(names));
        return self();
    }

    /**
     * Whether it trains on what it is sent. Default: not known, which counts as yes, except on this
     * machine.
     */
    public B dataUse(DataUse value) {
        dataUse = value;
        return self();
    }

    /** What it allows the caller, or the caller allows himself. Default: no bounds. */
    public B allowance(Allowance value) {
        allowance = value;
        return self();
    }

    /** How long it may be silent. */
    public B patience(Patience value) {
        patience = value;
        return self();
    }

    final String key() {
        return key;
    }

    final Set<String> parameters() {
        return parameters;
    }

    final HttpService service(Dialect dialect, boolean continues) {
        List<Offer> all = offers;
        if (continues) {
            features.add(Feature.CONTINUATION);
            all = offers.stream().map(ServiceBuilder::continuing).toList();
        }
        Profile profile =
                new Profile(name, all, features, parameters, dataUse, allowance, patience);
        return new HttpService(profile, base, dialect);
    }

    private static Offer continuing(Offer offer) {
        EnumSet<Feature> more = EnumSet.of(Feature.CONTINUATION);
        more.addAll(offer.features());
        return new Offer(
                offer.model(), offer.aliases(), offer.contextTokens(), more, offer.price());
    }
}
