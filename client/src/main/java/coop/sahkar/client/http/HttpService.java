package coop.sahkar.client.http;

import coop.sahkar.client.InferenceException;
import coop.sahkar.client.json.Json;
import coop.sahkar.client.provider.Answer;
import coop.sahkar.client.provider.Call;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.client.provider.Profile;
import coop.sahkar.client.provider.Provider;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A service over HTTP that speaks one dialect. Redirects are not followed: a key goes nowhere else.
 */
final class HttpService implements Provider {
    private static final Duration LIST_TIMEOUT = Duration.ofSeconds(15);

    private final Profile profile;
    private final URI base;
    private final Dialect dialect;
    private final HttpClient client;

    HttpService(Profile profile, URI base, Dialect dialect) {
        this.profile = profile;
        this.base = base;
        this.dialect = dialect;
        this.client =
                HttpClient.newBuilder()
                        .connectTimeout(profile.patience().connect())
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .build();
    }

    /** Checks a base URL and gives it the slash at its end that relative paths need. */
    static URI base(String url) {
        String trimmed = url.strip().replaceAll("/+$", "");
        try {
            URI uri = URI.create(trimmed + "/");
            boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
            if (web && uri.getHost() != null && uri.getQuery() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(notAUrl(url), e);
        }
        throw new IllegalArgumentException(notAUrl(url));
    }

    private static String notAUrl(String url) {
        return "\"%s\" is not a base URL; write, for example, https://api.example.org/v1"
                .formatted(url);
    }

    @Override
    public Profile profile() {
        return profile;
    }

    @Override
    public Answer ask(Call call) {
        HttpRequest request =
                request(dialect.path(call))
                        .header("content-type", "application/json")
                        .header("accept", "text/event-stream, application/json")
                        .POST(
                                HttpRequest.BodyPublishers.ofString(
                                        dialect.body(call), StandardCharsets.UTF_8))
                        .build();
        String name = profile.name();
        return new HttpAnswer(client, request, name, dialect.reading(name)).start();
    }

    private HttpRequest.Builder request(String path) {
        // Over plain http the JDK would ask for an upgrade that some servers stumble over.
        HttpClient.Version version =
                "https".equals(base.getScheme())
                        ? HttpClient.Version.HTTP_2
                        : HttpClient.Version.HTTP_1_1;
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path)).version(version);
        dialect.headers().forEach(request::header);
        return request;
    }

    @Override
    public List<String> modelNames() {
        FutureTask<List<String>> listing = new FutureTask<>(this::list);
        Thread.ofVirtual().name("sahkar-models").start(listing);
        try {
            return listing.get(LIST_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof InferenceException known
                    ? known
                    : InferenceException.of(
                            Failure.of(
                                    FailureKind.BROKEN, profile.name() + ": " + e.getCause(), e));
        } catch (TimeoutException e) {
            listing.cancel(true);
            throw InferenceException.of(
                    Failure.of(
                            FailureKind.TIMEOUT,
                            "%s did not list its models in time.".formatted(profile.name())));
        } catch (InterruptedException e) {
            listing.cancel(true);
            Thread.currentThread().interrupt();
            throw InferenceException.of(
                    Failure.of(FailureKind.CANCELLED, "The asking thread was interrupted."));
        }
    }

    private List<String> list() throws InterruptedException {
        String name = profile.name();
        try {
            HttpResponse<InputStream> response =
                    client.send(
                            request("models").GET().build(),
                            HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream body = response.body()) {
                if (response.statusCode() != 200) {
                    String said =
                            new String(
                                    body.readNBytes(Bounds.MAX_ERROR_BYTES),
                                    StandardCharsets.UTF_8);
                    throw InferenceException.of(
                            Refusals.of(
                                    name,
                                    response.statusCode(),
                                    response.headers()::firstValue,
                                    said,
                                    Instant.now()));
                }
                return names(HttpAnswer.whole(body));
            }
        } catch (NotAnAnswer e) {
            throw InferenceException.of(
                    Failure.of(FailureKind.BROKEN, "%s %s.".formatted(name, e.getMessage()), e));
        } catch (IOException e) {
            throw InferenceException.of(
                    Failure.of(
                            FailureKind.NETWORK,
                            "The connection to %s failed (%s); check the address and the network."
                                    .formatted(name, e),
                            e));
        }
    }

    private static List<String> names(Json body) throws NotAnAnswer {
        // Most wrap the list in an object; Together sends it bare.
        Json list = body.get("data").isPresent() ? body.get("data") : body;
        List<String> names =
                list.elements().stream()
                        .map(m -> m.get("id").text())
                        .filter(n -> !n.isEmpty())
                        .toList();
        if (names.isEmpty() && !(list.value() instanceof List)) {
            throw new NotAnAnswer("sent JSON that is no list of models");
        }
        return names;
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
