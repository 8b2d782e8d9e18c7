package coop.sahkar.coordinator.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Calls a gateway as a client would, over HTTP/1.1. */
final class Caller implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();

    /** Status, headers and body. */
    record Reply(int status, HttpResponse<String> raw) {
        JsonNode json() {
            return JSON.readTree(raw.body());
        }

        String body() {
            return raw.body();
        }

        String header(String name) {
            return raw.headers().firstValue(name).orElse("");
        }

        /** What stands behind {@code data: } in each frame. */
        List<String> frames() {
            List<String> frames = new ArrayList<>();
            for (String frame : raw.body().split("\n\n", -1)) {
                if (frame.startsWith("data: ")) {
                    frames.add(frame.substring("data: ".length()));
                }
            }
            return frames;
        }
    }

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String url;

    Caller(String url) {
        this.url = url;
    }

    Reply get(String path) {
        return send(request(path).GET().build());
    }

    Reply post(String path, String body) {
        return send(postRequest(path, body));
    }

    Reply chat(String body) {
        return post("/v1/chat/completions", body);
    }

    HttpRequest postRequest(String path, String body) {
        return request(path)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url + path)).timeout(Duration.ofSeconds(20));
    }

    HttpClient http() {
        return http;
    }

    Reply send(HttpRequest request) {
        try {
            HttpResponse<String> response =
                    http.send(request, HttpResponse.BodyHandlers.ofString());
            return new Reply(response.statusCode(), response);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
