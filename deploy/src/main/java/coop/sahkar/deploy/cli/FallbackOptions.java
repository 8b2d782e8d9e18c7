package coop.sahkar.deploy.cli;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceException;
import coop.sahkar.client.catalog.Catalog;
import coop.sahkar.client.catalog.FreeProvider;
import coop.sahkar.client.http.OpenAiProvider;
import coop.sahkar.client.pool.PoolProvider;
import coop.sahkar.client.provider.Offer;
import coop.sahkar.client.provider.Provider;
import coop.sahkar.client.routing.Policy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** Who answers when the pool does not, and what the caller consents to. */
final class FallbackOptions {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    @Option(
            names = "--fallback",
            paramLabel = "WHO",
            split = ",",
            description = {
                "Ask this one when the pool cannot answer; several, separated by commas, are tried in turn. A name of 'sahkar providers', alone or as NAME/MODEL, or the base URL of an OpenAI-compatible service as URL#MODEL.",
                "Keys come from the environment; for a URL, FALLBACK_API_KEY."
            })
    private List<String> fallbacks = List.of();

    @Option(
            names = "--allow-training",
            description = "Let fallbacks be asked that may train on what they are sent.")
    private boolean allowTraining;

    @Option(
            names = "--allow-continuing",
            description = "Let another provider go on where one broke off in mid-answer.")
    private boolean allowContinuing;

    /** A client and the model to name to it. */
    record Chosen(InferenceClient client, String model) {}

    /** The pool with what stands behind it; the pool alone when nothing does. */
    Chosen client(PoolOptions pool, KeyOption key, String named) {
        if (fallbacks.isEmpty()) {
            InferenceClient client = pool.client(key.text());
            try {
                return new Chosen(client, named.isBlank() ? PoolCalls.onlyModel(client) : named);
            } catch (RuntimeException e) {
                client.close();
                throw e;
            }
        }
        String model = named.isBlank() ? modelOfThePool(pool) : named;
        List<Provider> providers = new ArrayList<>();
        providers.add(
                PoolProvider.at(
                        PoolProvider.NAME,
                        pool.addresses(),
                        CONNECT_TIMEOUT,
                        key.text(),
                        pool.transport()));
        fallbacks.forEach(who -> providers.add(provider(who, model)));
        Policy policy = allowTraining ? Policy.FALLBACK.allowTraining() : Policy.FALLBACK;
        try {
            return new Chosen(
                    InferenceClient.builder()
                            .providers(providers.toArray(Provider[]::new))
                            .policy(allowContinuing ? policy.allowContinuing() : policy)
                            .build(),
                    model);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, "--fallback: " + e.getMessage() + ".", e);
        }
    }

    /** Empty when the pool is away: then only fallbacks can answer, with their own models. */
    private static String modelOfThePool(PoolOptions pool) {
        try (InferenceClient client = pool.client()) {
            return PoolCalls.onlyModel(client);
        } catch (InferenceException.Unreachable away) {
            return "";
        }
    }

    private static Provider provider(String who, String alias) {
        String[] aliases = alias.isEmpty() ? new String[0] : new String[] {alias};
        try {
            return who.contains("://") ? atUrl(who, aliases) : ofCatalog(who, aliases);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, "--fallback: " + e.getMessage() + ".", e);
        }
    }

    private static Provider atUrl(String who, String[] aliases) {
        int hash = who.indexOf('#');
        if (hash < 0 || hash == who.length() - 1) {
            throw new IllegalArgumentException("%s names no model; write URL#MODEL".formatted(who));
        }
        return OpenAiProvider.at(who.substring(0, hash))
                .key(System.getenv().getOrDefault("FALLBACK_API_KEY", ""))
                .offers(Offer.of(who.substring(hash + 1)).alias(aliases))
                .build();
    }

    private static Provider ofCatalog(String who, String[] aliases) {
        int slash = who.indexOf('/');
        String name = slash < 0 ? who : who.substring(0, slash);
        FreeProvider free =
                Catalog.named(name)
                        .orElseThrow(() ->
                                new IllegalArgumentException(
                                        "there is no provider '%s'; there are %s"
                                                .formatted(
                                                        name,
                                                        Catalog.all().stream()
                                                                .map(FreeProvider::name)
                                                                .collect(
                                                                        Collectors.joining(
                                                                                ", ")))));
        String key = System.getenv().getOrDefault(free.keyVariable(), "");
        if (key.isBlank()) {
            throw new IllegalArgumentException(
                    "%s wants a key; set %s".formatted(name, free.keyVariable()));
        }
        return free.provider(key, slash < 0 ? "" : who.substring(slash + 1), aliases);
    }
}
