package coop.sahkar.client.catalog;

import coop.sahkar.client.json.Json;
import coop.sahkar.client.provider.Allowance;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;

/** The free providers this library knows of. */
public final class Catalog {
    private static final String RESOURCE = "providers.json";

    private Catalog() {}

    /** All of them. */
    public static List<FreeProvider> all() {
        try (InputStream in = Catalog.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " is missing from this library");
            }
            return read(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One of them by name. */
    public static Optional<FreeProvider> named(String name) {
        return all().stream().filter(p -> p.name().equals(name)).findFirst();
    }

    /**
     * Reads a catalog.
     *
     * @throws IllegalArgumentException if something is missing, a source above all
     */
    static List<FreeProvider> read(String text) {
        return Json.parse(text)
                .orElseThrow(() -> new IllegalArgumentException("the catalog is no JSON"))
                .get("providers")
                .elements()
                .stream()
                .map(Catalog::provider)
                .toList();
    }

    private static FreeProvider provider(Json json) {
        Json limits = json.get("limits");
        String lengthName = json.get("lengthName").text();
        return new FreeProvider(
                required(json, "name"),
                required(json, "title"),
                required(json, "key"),
                fact(json, "baseUrl"),
                fact(json, "model"),
                fact(json, "context"),
                fact(json, "limits"),
                Allowance.requests(
                                limits.get("requestsPerMinute").integer(),
                                limits.get("requestsPerDay").integer())
                        .tokens(
                                limits.get("tokensPerMinute").integer(),
                                limits.get("tokensPerDay").integer()),
                fact(json, "retention"),
                fact(json, "training"),
                lengthName.isEmpty() ? "max_tokens" : lengthName,
                !json.get("streamUsage").isPresent() || json.get("streamUsage").isTrue());
    }

    private static Fact fact(Json json, String name) {
        Json fact = json.get(name);
        return new Fact(
                required(fact, "value"),
                required(fact, "source"),
                LocalDate.parse(required(fact, "date")),
                fact.get("verified").isTrue(),
                fact.get("note").text());
    }

    private static String required(Json json, String name) {
        String text = json.get(name).text();
        if (text.isEmpty()) {
            throw new IllegalArgumentException(
                    "the catalog lacks %s in %s".formatted(name, Json.write(json)));
        }
        return text;
    }
}
