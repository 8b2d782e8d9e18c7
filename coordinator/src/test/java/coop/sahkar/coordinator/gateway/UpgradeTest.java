package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/**
 * The JDK's HTTP client as it comes, which offers to go on in HTTP/2 with its first requests. Where
 * that was accepted, one in some thousand first replies broke off.
 */
class UpgradeTest {
    private static final int CLIENTS = 40;
    private static final int REQUESTS = 4;

    @Test
    void aJdkClientAsItComesReadsWholeAnswers() throws Exception {
        try (GatewayFixture fixture = new GatewayFixture()) {
            fixture.head("w", ScriptedHead.saying("Hello there. ".repeat(2_000)));
            HttpRequest metrics = fixture.caller.request("/metrics").build();
            HttpRequest chat =
                    fixture.caller.postRequest(
                            "/v1/chat/completions", GatewayFixture.chat(",\"stream\":true"));
            for (int i = 0; i < CLIENTS; i++) {
                try (HttpClient client = HttpClient.newHttpClient()) {
                    List<CompletableFuture<HttpResponse<String>>> asked = new ArrayList<>();
                    for (int j = 0; j < REQUESTS; j++) {
                        asked.add(
                                client.sendAsync(
                                        j % 2 == 0 ? metrics : chat, BodyHandlers.ofString()));
                    }
                    for (int j = 0; j < REQUESTS; j++) {
                        HttpResponse<String> reply = asked.get(j).join();
                        assertThat(reply.statusCode()).isEqualTo(200);
                        assertThat(reply.body()).endsWith(j % 2 == 0 ? "\n" : "data: [DONE]\n\n");
                        assertThat(reply.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
                    }
                }
            }
        }
    }
}
