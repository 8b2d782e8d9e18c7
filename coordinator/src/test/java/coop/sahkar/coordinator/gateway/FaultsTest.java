package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.routing.Prospect;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.RunRequest;
import io.grpc.Status;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a reader sees when workers, readers or the pool misbehave. */
class FaultsTest {
    private static final String STREAM = GatewayFixture.chat(",\"stream\":true");

    private final GatewayFixture fixture = new GatewayFixture();
    private final Caller caller = fixture.caller;

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void aHeadThatDiesInTheMiddleIsReplacedWithoutARepeatedToken() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "one ");
                    call.token(1, "two ");
                    call.out.onError(Status.UNAVAILABLE.asRuntimeException());
                });
        ScriptedHead second = fixture.head("b", ScriptedHead.saying("one ", "two ", "three"));
        Caller.Reply reply = caller.chat(STREAM);
        assertThat(text(reply)).isEqualTo("one two three");
        assertThat(reply.frames()).last().isEqualTo("[DONE]");
        RunRequest resumed = second.requests.getFirst();
        assertThat(resumed.getCommittedList()).containsExactly(100, 101);
        assertThat(resumed.getDeliveredBytes()).isEqualTo(8);
        ScriptedPool.Draw draw = fixture.pool.draws.get(1);
        assertThat(draw.avoid()).containsExactly("a");
        assertThat(draw.epoch()).isEqualTo(ResumePlan.UNHEARD_REPAIRS);
        assertThat(draw.session()).isNotNull();
        await().untilAsserted(() ->
                assertThat(fixture.pool.released)
                        .as("epochs")
                        .containsExactly(1, 1 + ResumePlan.UNHEARD_REPAIRS));
    }

    @Test
    void aSilentWorkerThatThePoolHasLostIsReplacedLongBeforePatienceEnds() {
        Patience patient =
                new Patience(60_000, 60_000, 2_000, 1_500, 5_000, 700, 20, 100, 300, 200);
        try (GatewayFixture slow = new GatewayFixture(patient)) {
            slow.head(
                    "a",
                    (_, call) -> {
                        call.started();
                        call.token(0, "one ");
                        slow.pool.gone.add("a");
                    });
            slow.head("b", ScriptedHead.saying("one ", "two"));
            assertThat(text(slow.caller.chat(STREAM))).isEqualTo("one two");
        }
    }

    private static String text(Caller.Reply reply) {
        StringBuilder text = new StringBuilder();
        for (String frame : reply.frames()) {
            if (frame.startsWith("{\"id\"")) {
                var delta = Caller.JSON.readTree(frame).get("choices").get(0).get("delta");
                text.append(delta.has("content") ? delta.get("content").stringValue() : "");
            }
        }
        return text.toString();
    }

    @Test
    void aHeadThatCannotBeReachedIsPassedOver() {
        fixture.pool.add("gone", "127.0.0.1:1");
        fixture.pool.add("nonsense", "no endpoint");
        fixture.head("b", ScriptedHead.saying("fine"));
        assertThat(caller.chat(GatewayFixture.chat("")).body()).contains("fine");
    }

    @Test
    void aFullHeadIsPassedOver() {
        fixture.head(
                "full",
                (_, call) -> call.out.onError(Status.RESOURCE_EXHAUSTED.asRuntimeException()));
        fixture.head("b", ScriptedHead.saying("fine"));
        assertThat(caller.chat(GatewayFixture.chat("")).body()).contains("fine");
    }

    @Test
    void fullHeadsOnlyAreRefusedAtOnce() {
        fixture.head(
                "full",
                (_, call) -> call.out.onError(Status.RESOURCE_EXHAUSTED.asRuntimeException()));
        Caller.Reply reply = caller.chat(STREAM);
        assertThat(reply.status()).isEqualTo(429);
        assertThat(reply.header("retry-after")).isEqualTo("1");
    }

    @Test
    void withoutASpareTheStreamEndsWithAnError() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "one ");
                    call.out.onError(Status.UNAVAILABLE.asRuntimeException());
                });
        Caller.Reply reply = caller.chat(STREAM);
        assertThat(reply.status()).isEqualTo(200);
        assertThat(text(reply)).isEqualTo("one ");
        String last = reply.frames().getLast();
        assertThat(last).startsWith("{\"error\":{").contains("worker_lost");
        assertThat(reply.body()).doesNotContain("[DONE]");
    }

    @Test
    void whileThePoolHealsTheReaderWaitsLongerThanForASpare() {
        fixture.pool.prospect = Prospect.HEALING;
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "one ");
                    call.out.onError(Status.UNAVAILABLE.asRuntimeException());
                    fixture.pool.remove("a");
                });
        CompletableFuture<Caller.Reply> reply =
                CompletableFuture.supplyAsync(() -> caller.chat(STREAM));
        long began = System.nanoTime();
        long longer = TimeUnit.MILLISECONDS.toNanos(GatewayFixture.SHORT.spareMillis() * 3L / 2);
        await().until(() -> System.nanoTime() - began > longer);
        assertThat(reply).isNotDone();
        fixture.head("b", ScriptedHead.saying("one ", "two"));
        assertThat(text(reply.join())).isEqualTo("one two");
    }

    @Test
    void whereAHeadFindsNobodyToGoOnWithAnotherIsTriedAndThenItself() {
        ScriptedHead.Script alone =
                (_, call) -> {
                    call.started();
                    call.token(0, "one ");
                    call.withoutSpare("w9");
                };
        ScriptedHead first = fixture.head("a", alone);
        ScriptedHead second = fixture.head("b", ScriptedHead.saying("one ", "two"));
        assertThat(text(caller.chat(STREAM))).isEqualTo("one two");
        assertThat(second.requests).hasSize(1);
        fixture.pool.remove("b");
        first.now((request, call) -> {
            first.now(ScriptedHead.saying("one ", "two"));
            alone.play(request, call);
        });
        assertThat(text(caller.chat(STREAM))).isEqualTo("one two");
    }

    @Test
    void aWorkerThatComesBackInTimeIsUsedAgain() {
        ScriptedHead.Script good = ScriptedHead.saying("one ", "two");
        ScriptedHead head = fixture.head("a", good);
        head.now((_, call) -> {
            call.started();
            call.token(0, "one ");
            head.now(good);
            call.out.onError(Status.UNAVAILABLE.asRuntimeException());
        });
        assertThat(text(caller.chat(STREAM))).isEqualTo("one two");
    }

    @Test
    void aSilentHeadIsAnErrorNotAHang() {
        ScriptedHead head = fixture.head("a", (_, _) -> {});
        Caller.Reply reply = caller.chat(GatewayFixture.chat(""));
        assertThat(reply.status()).isEqualTo(503);
        assertThat(reply.json().get("error").get("message").stringValue())
                .contains("Worker a sent nothing");
        assertCancelled(head);
    }

    private static void assertCancelled(ScriptedHead head) {
        await().atMost(5, TimeUnit.SECONDS)
                .until(() -> head.calls.getFirst().cancelled.getCount() == 0);
    }

    @Test
    void aHeadThatRepeatsATokenIsHungUpOn() {
        ScriptedHead liar =
                fixture.head(
                        "a",
                        (_, call) -> {
                            call.started();
                            call.token(0, "one ");
                            call.token(0, "one ");
                        });
        fixture.head("b", ScriptedHead.saying("one ", "two"));
        assertThat(text(caller.chat(STREAM))).isEqualTo("one two");
        assertCancelled(liar);
    }

    @Test
    void aReaderThatHangsUpCancelsTheHead() throws Exception {
        CountDownLatch first = new CountDownLatch(1);
        ScriptedHead head =
                fixture.head(
                        "a",
                        (_, call) -> {
                            call.started();
                            call.token(0, "one ");
                            first.countDown();
                        });
        HttpResponse<InputStream> response =
                caller.http()
                        .send(
                                caller.postRequest("/v1/chat/completions", STREAM),
                                HttpResponse.BodyHandlers.ofInputStream());
        assertThat(first.await(5, TimeUnit.SECONDS)).isTrue();
        response.body().close();
        assertCancelled(head);
        await().until(() -> fixture.gateway.running() == 0);
    }

    @Test
    void aReaderOfAWholeAnswerThatHangsUpCancelsTheHead() {
        ScriptedHead head = fixture.head("a", (_, call) -> call.started());
        CompletableFuture<HttpResponse<String>> pending =
                caller.http()
                        .sendAsync(
                                caller.postRequest("/v1/chat/completions", GatewayFixture.chat("")),
                                HttpResponse.BodyHandlers.ofString());
        await().until(() -> !head.calls.isEmpty());
        pending.cancel(true);
        assertCancelled(head);
    }

    @Test
    void aSlowReaderHoldsTheHeadBackAndIsHungUpOnInTheEnd() throws Exception {
        String word = "x".repeat(50_000);
        CountDownLatch full = new CountDownLatch(1);
        ScriptedHead head =
                fixture.head(
                        "a",
                        (_, call) -> {
                            call.started();
                            call.out.setOnReadyHandler(() -> pour(call, word, full));
                            pour(call, word, full);
                        });
        HttpResponse<InputStream> unread =
                caller.http()
                        .send(
                                caller.postRequest("/v1/chat/completions", STREAM),
                                HttpResponse.BodyHandlers.ofInputStream());
        assertThat(full.await(5, TimeUnit.SECONDS)).isTrue();
        assertCancelled(head);
        assertThat(head.calls.getFirst().sent.get()).isLessThan(2_000);
        unread.body().close();
    }

    /** Sends while gRPC says it may; for ever, if nobody holds it back. */
    private static void pour(ScriptedHead.Call call, String word, CountDownLatch full) {
        synchronized (call) {
            while (call.out.isReady() && call.sent.get() < 5_000) {
                call.token(call.sent.get(), word);
            }
        }
        full.countDown();
    }

    @Test
    void overTheLimitIsRefusedAtOnce() {
        fixture.pool.most = 1;
        CountDownLatch go = new CountDownLatch(1);
        ScriptedHead head =
                fixture.head(
                        "a",
                        (_, call) -> {
                            call.started();
                            awaitQuietly(go);
                            call.finished(FinishReason.FINISH_REASON_STOP, 0);
                        });
        CompletableFuture<HttpResponse<String>> first =
                caller.http()
                        .sendAsync(
                                caller.postRequest("/v1/chat/completions", STREAM),
                                HttpResponse.BodyHandlers.ofString());
        await().until(() -> !head.calls.isEmpty());
        Caller.Reply refused = caller.chat(STREAM);
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.header("retry-after")).isEqualTo("1");
        go.countDown();
        assertThat(first.join().body()).endsWith("data: [DONE]\n\n");
        await().until(() -> fixture.gateway.running() == 0);
        assertThat(caller.chat(STREAM).status()).isEqualTo(200);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(5, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void commentsKeepTheReaderCompanyWhileThePromptIsComputed() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    CompletableFuture.delayedExecutor(400, TimeUnit.MILLISECONDS)
                            .execute(() -> {
                                call.token(0, "late");
                                call.finished(FinishReason.FINISH_REASON_STOP, 1);
                            });
                });
        Caller.Reply reply = caller.chat(STREAM);
        assertThat(reply.body()).contains(": ping\n\n");
        assertThat(text(reply)).isEqualTo("late");
    }

    @Test
    void progressOfThePromptCountsAsALifeSign() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    for (int i = 1; i <= 3; i++) {
                        int chunk = i;
                        CompletableFuture.delayedExecutor(600L * i, TimeUnit.MILLISECONDS)
                                .execute(() -> call.prefilled(chunk));
                    }
                    CompletableFuture.delayedExecutor(2_400, TimeUnit.MILLISECONDS)
                            .execute(() -> {
                                call.token(0, "late");
                                call.finished(FinishReason.FINISH_REASON_STOP, 1);
                            });
                });
        assertThat(caller.chat(GatewayFixture.chat("")).body()).contains("late");
    }

    @Test
    void closingTellsRunningReaders() {
        ScriptedHead head =
                fixture.head(
                        "a",
                        (_, call) -> {
                            call.started();
                            call.token(0, "one ");
                        });
        CompletableFuture<HttpResponse<String>> reader =
                caller.http()
                        .sendAsync(
                                caller.postRequest("/v1/chat/completions", STREAM),
                                HttpResponse.BodyHandlers.ofString());
        await().until(() -> !head.calls.isEmpty() && head.calls.getFirst().sent.get() == 1);
        fixture.gateway.close();
        assertThat(reader.join().body()).contains("\"error\"").contains("stopped");
        assertCancelled(head);
    }
}
