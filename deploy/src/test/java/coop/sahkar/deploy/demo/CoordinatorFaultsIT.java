package coop.sahkar.deploy.demo;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.deploy.bench.CoordinatorFaultBench;
import coop.sahkar.deploy.bench.CoordinatorFaultReport;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Three coordinators as processes, which are killed while the pool works. */
class CoordinatorFaultsIT {
    private static final int WORKERS = 5;
    private static final int STAGES = 3;
    private static final int READERS = 20;
    private static final int TOKENS = 60;
    private static final String DONE = "data: [DONE]";

    /** Events of a stream before its coordinator is killed. */
    private static final int EVENTS_BEFORE = 3;

    private static final Duration MOST = Duration.ofMinutes(4);

    private final HttpClient http = HttpClient.newHttpClient();
    private final JsonMapper json = JsonMapper.builder().build();
    private final List<String> steps = new CopyOnWriteArrayList<>();

    @Test
    void whatRunsOutlivesKilledCoordinators() throws Exception {
        try (ClusterPool pool = ClusterPool.start(Distribution.launcher())) {
            pool.add("c2");
            pool.add("c3");
            pool.serve(Distribution.bundledModel(), WORKERS, STAGES);

            answersAndCommands(pool);
            aStreamOverHttp(pool);
        }
    }

    /** A small campaign of {@code sahkar faults --coordinators 3}. */
    private void answersAndCommands(ClusterPool pool) throws InterruptedException {
        CoordinatorFaultReport report =
                new CoordinatorFaultBench(pool, READERS, TOKENS, new Random(1), steps::add)
                        .run(new CoordinatorFaultBench.Campaign(false, 2, MOST, 1, 1));

        assertThat(report.whole()).as("%s%n%s", report.table(), steps).isTrue();
        JsonNode values = json.valueToTree(report.values());
        assertThat(values.get("rounds").asInt()).isEqualTo(2);
        assertThat(values.get("leaders_killed").asInt()).isEqualTo(1);
        assertThat(values.get("answers_whole").asInt()).isGreaterThan(READERS);
        assertThat(values.get("commands_acknowledged").asInt()).isPositive();
        assertThat(values.get("usage_batches").asInt()).isPositive();
    }

    /** Begun at c2, which is killed, and gone on with at c3: nothing is missing or doubled. */
    private void aStreamOverHttp(ClusterPool pool) throws Exception {
        String body =
                "{\"model\":\"%s\",\"prompt\":\"Once upon a time\",\"temperature\":0,\"max_tokens\":250,\"stream\":true}"
                        .formatted(pool.modelId());
        List<String> gateways = pool.gateways();
        List<String> undisturbed = new ArrayList<>();
        read(gateways.get(1), body, "", undisturbed, () -> {});

        List<String> lines = new ArrayList<>();
        read(gateways.get(1), body, "", lines, () -> pool.kill("c2"));
        assertThat(lines).as("the kill came too late to show anything").doesNotContain(DONE);
        read(gateways.get(2), body, lastId(lines), lines, () -> {});

        assertThat(lines.getLast()).as("%s", lines).isEqualTo(DONE);
        assertThat(text(lines)).isEqualTo(text(undisturbed));
    }

    /**
     * Reads a stream until it ends or is cut off; lines of which the end is missing don't count.
     *
     * @param seen id of the last event that was seen; empty for a new stream
     * @param midway run when a few events are there
     */
    private void read(String gateway, String body, String seen, List<String> lines, Runnable midway)
            throws Exception {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create("http://" + gateway + "/v1/completions"))
                        .timeout(MOST)
                        .header("content-type", "application/json")
                        .header("x-sahkar-resumable", "true")
                        .POST(HttpRequest.BodyPublishers.ofString(body));
        if (!seen.isEmpty()) {
            request.header("last-event-id", seen);
        }
        var response = http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        List<String> event = new ArrayList<>();
        int events = 0;
        try (var in =
                new BufferedReader(
                        new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (!line.isEmpty()) {
                    event.add(line);
                    continue;
                }
                lines.addAll(event);
                event.clear();
                events++;
                if (events == EVENTS_BEFORE) {
                    midway.run();
                }
            }
        } catch (IOException cutOff) {
            assertThat(events).as(cutOff.toString()).isGreaterThanOrEqualTo(EVENTS_BEFORE);
        }
    }

    private static String lastId(List<String> lines) {
        return lines.stream()
                .filter(line -> line.startsWith("id: "))
                .reduce((_, last) -> last)
                .orElseThrow()
                .substring(4);
    }

    private String text(List<String> lines) {
        StringBuilder text = new StringBuilder();
        lines.stream()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> json.readTree(line.substring(6)))
                .forEach(event -> text.append(event.at("/choices/0/text").asString("")));
        return text.toString();
    }
}
