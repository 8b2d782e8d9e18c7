package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.deploy.demo.ClusterPool;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.v1.AccountsGrpc.AccountsBlockingStub;
import coop.sahkar.proto.v1.CreateKeyRequest;
import coop.sahkar.proto.v1.PolicySetting;
import coop.sahkar.proto.v1.SetPolicyRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Ten keys that ask ten times as often as they may, each of three coordinators in turn. How long
 * says {@code -Dsahkar.limits.seconds}.
 */
class LimitsIT {
    private static final int SECONDS = Integer.getInteger("sahkar.limits.seconds", 9);
    private static final int KEYS = 10;
    private static final int PER_MINUTE = 20;
    private static final int TIMES = 10;
    private static final int EVERY_MILLIS = 60_000 / PER_MINUTE / TIMES;

    /** The limits' window, and the half second that it may be late. */
    private static final double WINDOW_SECONDS = 60.5;

    /** What came of a request; seconds since the first of all. */
    private record Seen(int status, double asked, double answered, int retryAfter) {}

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Test
    void whatPassesIsTheLimitWhicheverCoordinatorIsAsked() throws Exception {
        try (http;
                ClusterPool pool = ClusterPool.start(Distribution.launcher())) {
            pool.add("c2");
            pool.add("c3");
            pool.serve(Distribution.bundledModel(), 1, 1);
            List<List<Seen>> seen = ask(pool, keys(pool));
            int windows = (int) Math.ceil(SECONDS / WINDOW_SECONDS);
            int all = seen.stream().mapToInt(List::size).sum();
            long passed = seen.stream().flatMap(List::stream).filter(LimitsIT::passed).count();
            System.out.printf(
                    "%d keys, %d s, 3 coordinators: %d asked, %d passed, allowed %d%n",
                    KEYS, SECONDS, all, passed, KEYS * PER_MINUTE * windows);
            seen.forEach(of -> holds(of, windows));
        }
    }

    private static void holds(List<Seen> seen, int windows) {
        assertThat(seen).allSatisfy(one -> assertThat(one.status()).isIn(200, 429));
        assertThat(seen.stream().filter(LimitsIT::passed).count())
                .isBetween(
                        Math.round(windows * PER_MINUTE * 0.98),
                        Math.round(windows * PER_MINUTE * 1.02));
        Seen first = seen.getFirst();
        assertThat(passed(first)).isTrue();
        assertThat(seen)
                .filteredOn(one -> !passed(one) && one.answered() < first.asked() + 60)
                .hasSizeGreaterThan(PER_MINUTE / 4)
                .allSatisfy(one -> {
                    // whole seconds, counted from some time between the question and its answer
                    assertThat(one.answered() + one.retryAfter())
                            .isGreaterThanOrEqualTo(first.asked() + 60);
                    assertThat(one.asked() + one.retryAfter())
                            .isLessThanOrEqualTo(first.answered() + WINDOW_SECONDS + 1);
                });
    }

    private static boolean passed(Seen seen) {
        return seen.status() == 200;
    }

    /** By key, in the order of asking. */
    private List<List<Seen>> ask(ClusterPool pool, List<String> keys) {
        List<List<CompletableFuture<Seen>>> asked = new ArrayList<>();
        keys.forEach(_ -> asked.add(new ArrayList<>()));
        List<String> gateways = pool.gateways();
        int rounds = SECONDS * 1_000 / EVERY_MILLIS;
        long begun = System.nanoTime();
        try (ScheduledExecutorService clock = Executors.newScheduledThreadPool(1)) {
            for (int round = 0; round < rounds; round++) {
                for (int key = 0; key < KEYS; key++) {
                    HttpRequest request =
                            request(
                                    gateways.get((round + key) % gateways.size()),
                                    pool.modelId(),
                                    keys.get(key));
                    CompletableFuture<Seen> seen = new CompletableFuture<>();
                    asked.get(key).add(seen);
                    var _ =
                            clock.schedule(
                                    () -> send(request, begun, seen),
                                    (long) round * EVERY_MILLIS + key,
                                    TimeUnit.MILLISECONDS);
                }
            }
        }
        return asked.stream().map(of -> of.stream().map(CompletableFuture::join).toList()).toList();
    }

    private void send(HttpRequest request, long begun, CompletableFuture<Seen> seen) {
        double asked = seconds(begun);
        var _ =
                http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                        .whenComplete((reply, failure) -> {
                            if (reply == null) {
                                seen.completeExceptionally(failure);
                                return;
                            }
                            int retryAfter =
                                    reply.headers()
                                            .firstValue("retry-after")
                                            .map(Integer::parseInt)
                                            .orElse(0);
                            seen.complete(
                                    new Seen(
                                            reply.statusCode(), asked, seconds(begun), retryAfter));
                        });
    }

    private static double seconds(long begun) {
        return (System.nanoTime() - begun) / 1e9;
    }

    private static HttpRequest request(String gateway, String model, String key) {
        String body =
                "{\"model\":\"%s\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"
                        .formatted(model);
        return HttpRequest.newBuilder(URI.create("http://" + gateway + "/v1/chat/completions"))
                .timeout(Duration.ofSeconds(60))
                .header("content-type", "application/json")
                .header("authorization", "Bearer " + key)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private static List<String> keys(ClusterPool pool) throws IOException {
        AccountsBlockingStub accounts = pool.accounts("c1");
        var _ =
                accounts.setPolicy(
                        SetPolicyRequest.newBuilder()
                                .addSettings(setting("anonymous", "off"))
                                .addSettings(
                                        setting(
                                                "tiers.member.requests_per_minute",
                                                Integer.toString(PER_MINUTE)))
                                .build());
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < KEYS; i++) {
            CreateKeyRequest one = CreateKeyRequest.newBuilder().setAccount("member-" + i).build();
            keys.add(accounts.createKey(one).getSecret());
        }
        return keys;
    }

    private static PolicySetting setting(String name, String value) {
        return PolicySetting.newBuilder().setName(name).setValue(value).build();
    }
}
