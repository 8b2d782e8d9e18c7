package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.Problem;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What callers see while every chain is full. */
class WaitingTest {
    private static final String STREAM = GatewayFixture.chat(",\"stream\":true");
    private static final Problem FULL =
            new Problem(Problem.Kind.OVERLOADED, "Every chain is full.", "", 1_000);

    private final GatewayFixture fixture = new GatewayFixture();
    private final Caller caller = fixture.caller;

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void aRequestWaitsForRoomAndItsReaderHearsPings() {
        fixture.head("a", ScriptedHead.saying("fine"));
        fixture.pool.mostWaiting = 2;
        fixture.pool.refusal = FULL;
        CompletableFuture<Caller.Reply> asked = ask(STREAM);
        await().until(() -> fixture.gateway.waiting() == 1);
        assertThat(fixture.gateway.running()).isZero();
        assertThat(caller.get("/metrics").body()).contains("sahkar_generations_waiting 1.0");
        await().until(() -> fixture.pool.draws.size() > 3);
        fixture.pool.refusal = null;
        Caller.Reply reply = asked.join();
        assertThat(reply.body()).contains(": ping").contains("fine").contains("[DONE]");
        assertThat(reply.frames().getLast()).isEqualTo("[DONE]");
        assertThat(fixture.gateway.waiting()).isZero();
    }

    @Test
    void whoCannotWaitIsRefusedAtOnceWithATimeToComeBack() {
        fixture.pool.mostWaiting = 2;
        fixture.pool.refusal = FULL;
        CompletableFuture<Caller.Reply> waits = ask(STREAM);
        await().until(() -> fixture.gateway.waiting() == 1);
        Caller.Reply refused = caller.chat(STREAM);
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.header("retry-after")).isEqualTo("1");
        assertThat(refused.json().get("error").get("message").stringValue())
                .startsWith("All workers are busy, and the queue");
        fixture.head("a", ScriptedHead.saying("fine"));
        fixture.pool.refusal = null;
        assertThat(waits.join().body()).as("the one accepted").contains("fine");
    }

    @Test
    void waitingIsBounded() {
        fixture.pool.mostWaiting = 2;
        fixture.pool.waitMillis = 300;
        fixture.pool.refusal = FULL;
        Caller.Reply reply = caller.chat(GatewayFixture.chat(""));
        assertThat(reply.status()).isEqualTo(429);
        assertThat(reply.body()).contains("All workers were busy for 1 s");
        assertThat(fixture.gateway.waiting()).isZero();
    }

    @Test
    void whoHangsUpWaitsNoMore() throws Exception {
        fixture.pool.mostWaiting = 2;
        fixture.pool.refusal = FULL;
        var asked =
                caller.http()
                        .sendAsync(
                                caller.postRequest("/v1/chat/completions", STREAM),
                                java.net.http.HttpResponse.BodyHandlers.ofInputStream());
        asked.get(10, TimeUnit.SECONDS).body().close();
        await().until(() -> fixture.gateway.waiting() == 0);
        assertThat(fixture.gateway.running()).isZero();
    }

    @Test
    void aHeadThatIsFullAfterAllMeansWaitingOn() {
        ScriptedHead head =
                fixture.head(
                        "a",
                        (_, call) ->
                                call.out.onError(Status.RESOURCE_EXHAUSTED.asRuntimeException()));
        fixture.pool.mostWaiting = 2;
        CompletableFuture<Caller.Reply> asked = ask(STREAM);
        await().until(() -> head.calls.size() >= 4);
        head.now(ScriptedHead.saying("fine"));
        assertThat(asked.join().body()).contains("fine").contains("[DONE]");
    }

    @Test
    void moreThanMayRunAtOnceTakeTheirTurns() {
        CountDownLatch go = new CountDownLatch(1);
        fixture.head(
                "a",
                (request, call) -> {
                    awaitQuietly(go);
                    ScriptedHead.saying("fine").play(request, call);
                });
        fixture.pool.most = 1;
        fixture.pool.mostWaiting = 10;
        List<CompletableFuture<Caller.Reply>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(ask(STREAM));
        }
        await().until(() -> fixture.gateway.waiting() == 3);
        assertThat(fixture.gateway.running()).isEqualTo(1);
        go.countDown();
        assertThat(all).allSatisfy(asked -> assertThat(asked.join().body()).contains("fine"));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private CompletableFuture<Caller.Reply> ask(String body) {
        return CompletableFuture.supplyAsync(
                () -> caller.chat(body), task -> Thread.ofVirtual().start(task));
    }
}
