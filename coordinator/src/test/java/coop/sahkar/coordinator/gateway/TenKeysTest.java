package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.accounts.AccountDesk;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Tier;
import java.net.InetAddress;
import java.net.http.HttpRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Ten keys, each asking ten times as often as it may, through the gateway, in virtual time: what
 * passes is within 2 % of the limit, all else is 429, and who comes back when it says so passes.
 */
class TenKeysTest {
    private static final int KEYS = 10;
    private static final int TIMES = 10;
    private static final int MINUTES = 2;

    private final GatewayFixture fixture = new GatewayFixture();

    /** With 25 requests a minute; or with 234 tokens, of which each request uses 9. */
    @ParameterizedTest
    @CsvSource({"25, 0", "0, 234"})
    void whatPassesIsTheLimit(int requests, int tokens) {
        try (fixture) {
            fixture.head("w1", ScriptedHead.saying("Hello", " there"));
            Tier tier = new Tier(Access.MEMBER, requests, tokens, 0, 0, 0);
            fixture.pool.log.propose(
                    new SetAccess(new Access(false, new TreeMap<>(Map.of(tier.name(), tier)))));
            List<String> keys = keys();
            int perMinute = requests > 0 ? requests : tokens / (ScriptedHead.PROMPT_TOKENS + 2);
            long begin = fixture.pool.millis.get();
            int[] passed = new int[KEYS];
            int asked = MINUTES * perMinute * TIMES;
            for (int i = 0; i < asked; i++) {
                fixture.pool.millis.set(begin + i * 60_000L / perMinute / TIMES);
                for (int key = 0; key < KEYS; key++) {
                    if ((i + key) % 5 == 0) { // five requests at once, at another time each
                        passed[key] += burst(keys.get(key));
                    }
                }
            }
            for (int key = 0; key < KEYS; key++) {
                assertThat(passed[key])
                        .isBetween(MINUTES * perMinute * 98 / 100, MINUTES * perMinute * 102 / 100);
            }
            comesBackInTime(keys.getFirst());
        }
    }

    private int burst(String key) {
        int passed = 0;
        for (int i = 0; i < 5; i++) {
            int status = chat(key).status();
            assertThat(status).isIn(200, 429);
            passed += status == 200 ? 1 : 0;
        }
        return passed;
    }

    private void comesBackInTime(String key) {
        Caller.Reply reply = chat(key);
        while (reply.status() == 200) {
            reply = chat(key);
        }
        int seconds = Integer.parseInt(reply.header("retry-after"));
        assertThat(seconds).isBetween(1, 61);
        fixture.pool.millis.addAndGet(seconds * 1_000L);
        assertThat(chat(key).status()).isEqualTo(200);
    }

    private Caller.Reply chat(String key) {
        return fixture.caller.send(
                HttpRequest.newBuilder(
                                fixture.caller.postRequest(
                                        "/v1/chat/completions",
                                        GatewayFixture.chat(",\"max_tokens\":2")),
                                (_, _) -> true)
                        .header("authorization", "Bearer " + key)
                        .build());
    }

    private List<String> keys() {
        AccountDesk desk = fixture.pool.gate().desk();
        Doorkeeper.Entry host =
                fixture.pool
                        .gate()
                        .doorkeeper()
                        .identify(
                                "Bearer " + ScriptedPool.HOST_KEY,
                                null,
                                InetAddress.getLoopbackAddress());
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < KEYS; i++) {
            keys.add(
                    desk.create(((Doorkeeper.Entry.Known) host).caller(), "member-" + i, "", "", "")
                            .secret());
        }
        return keys;
    }
}
