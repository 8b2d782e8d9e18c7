package coop.sahkar.deploy.bench;

import io.grpc.Status;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The tiers' settings as a coordinator's page tells them: as it knows them itself. */
final class LocalPolicy implements Supplier<Map<String, String>> {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final HttpRequest request;

    /**
     * @param gateway {@code host:port}
     */
    LocalPolicy(String gateway) {
        this.request =
                HttpRequest.newBuilder(URI.create("http://" + gateway + "/v1/policy"))
                        .timeout(PATIENCE)
                        .build();
    }

    @Override
    public Map<String, String> get() {
        Map<String, String> settings = new TreeMap<>();
        for (Map.Entry<String, JsonNode> tier : page().get("tiers").properties()) {
            JsonNode limit = tier.getValue().get("tokens_per_day");
            if (!limit.isNull()) {
                settings.put("tiers.%s.tokens_per_day".formatted(tier.getKey()), limit.asString());
            }
        }
        return settings;
    }

    private JsonNode page() {
        try {
            return JSON.readTree(HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body());
        } catch (IOException e) {
            throw Status.UNAVAILABLE.withCause(e).asRuntimeException();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Status.CANCELLED.withCause(e).asRuntimeException();
        }
    }
}
