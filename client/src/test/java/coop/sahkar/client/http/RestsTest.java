package coop.sahkar.client.http;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.client.json.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RestsTest {
    private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");

    @ParameterizedTest
    @CsvSource({
        "retry-after, 3, PT3S",
        "retry-after, 0.25, PT0.25S",
        "retry-after, 'Sun, 22 Nov 2026 10:01:00 GMT', PT1M",
        "retry-after-ms, 1500, PT1.5S",
        "x-ratelimit-reset, 1795341630, PT30S",
        "x-ratelimit-reset, 1795341630000, PT30S",
        "x-ratelimit-reset, 42, PT42S"
    })
    void aRefusalSaysHowLong(String header, String value, Duration expected) {
        assertThat(refusal(Map.of(header, value), "{}")).contains(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "retry-after, 0",
        "retry-after, -5",
        "retry-after, soon",
        "retry-after, 'Sat, 21 Nov 2026 10:00:00 GMT'",
        "retry-after-ms, 99999999999999999999",
        "x-ratelimit-reset, ''"
    })
    void nonsenseAndThePastSayNothing(String header, String value) {
        assertThat(refusal(Map.of(header, value), "{}")).isEmpty();
    }

    @Test
    void millisecondsGoBeforeSeconds() {
        assertThat(refusal(Map.of("retry-after", "9", "retry-after-ms", "50"), "{}"))
                .contains(Duration.ofMillis(50));
    }

    @Test
    void theMeterThatIsEmptyCounts() {
        Map<String, String> headers =
                Map.of(
                        "x-ratelimit-remaining-requests", "0",
                        "x-ratelimit-reset-requests", "6m0s",
                        "x-ratelimit-remaining-tokens", "12",
                        "x-ratelimit-reset-tokens", "9h");
        assertThat(refusal(headers, "{}")).contains(Duration.ofMinutes(6));
    }

    @Test
    void anthropicTellsATime() {
        Map<String, String> headers =
                Map.of(
                        "anthropic-ratelimit-tokens-remaining", "0",
                        "anthropic-ratelimit-tokens-reset", "2026-11-22T10:00:07Z");
        assertThat(refusal(headers, "{}")).contains(Duration.ofSeconds(7));
    }

    @Test
    void googleTellsItInTheBody() {
        String body = "{\"error\":{\"details\":[{\"@type\":\"x\"},{\"retryDelay\":\"34.5s\"}]}}";
        assertThat(refusal(Map.of(), body)).contains(Duration.ofMillis(34_500));
    }

    @ParameterizedTest
    @CsvSource({"1h2m3s, PT1H2M3S", "120ms, PT0.12S", "7.66s, PT7.66S"})
    void durationsAsLimitsHaveThem(String text, Duration expected) {
        assertThat(Rests.moment(text, NOW)).contains(expected);
    }

    private static Optional<Duration> refusal(Map<String, String> headers, String body) {
        return Rests.ofRefusal(
                name -> Optional.ofNullable(headers.get(name)),
                Json.parse(body).orElseThrow(),
                NOW);
    }
}
