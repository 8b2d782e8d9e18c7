package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.usage.Use;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.Rerouted;
import io.grpc.Status;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the gateway counts of what heads deliver, and claim. */
class CountedUseTest {
    private static final String STREAM = GatewayFixture.chat(",\"stream\":true");

    /** "What is a worker?" has 17 bytes. */
    private static final long PROMPT = 13;

    private final GatewayFixture fixture = new GatewayFixture();
    private final CountingDesk desk = fixture.pool.usage;

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void tokensThatCameThroughCountAndWhatTheHeadClaimsDoesNot() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "one ");
                    call.token(1, "two");
                    call.finished(FinishReason.FINISH_REASON_STOP, 1_000);
                });
        assertThat(fixture.caller.chat(STREAM).body()).contains("two");
        awaitTokens(2);
        assertThat(desk.promptTokens()).isEqualTo(PROMPT);
        Use use = desk.uses.getFirst();
        assertThat(use.account()).startsWith("payer-of-");
        assertThat(use.modelId()).isEqualTo(ScriptedPool.MODEL);
        assertThat(use.stages()).extracting(RouteStage::workerId).containsExactly("a");
    }

    @Test
    void eachHeadEarnsForWhatItDelivered() {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "one ");
                    call.out.onError(Status.UNAVAILABLE.asRuntimeException());
                });
        fixture.head("b", ScriptedHead.saying("one ", "two ", "three"));
        fixture.caller.chat(STREAM);
        awaitTokens(3);
        assertThat(desk.uses).hasSize(2);
        assertThat(desk.uses.getFirst().stages().getFirst().workerId()).isEqualTo("a");
        assertThat(desk.uses.getFirst().promptTokens()).isEqualTo(PROMPT);
        assertThat(desk.uses.getLast().stages().getFirst().workerId()).isEqualTo("b");
        assertThat(desk.uses.getLast().answerTokens()).isEqualTo(2);
        assertThat(desk.uses.getLast().promptTokens()).isZero();
    }

    @Test
    void aReaderWhoHangsUpPaysForWhatCame() throws Exception {
        CountDownLatch heard = new CountDownLatch(1);
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "one ");
                    heard.countDown();
                });
        var asked =
                fixture.caller
                        .http()
                        .sendAsync(
                                fixture.caller.postRequest("/v1/chat/completions", STREAM),
                                java.net.http.HttpResponse.BodyHandlers.ofInputStream());
        heard.await();
        var body = asked.join().body();
        assertThat(body.read()).isPositive();
        body.close();
        awaitTokens(1);
    }

    @Test
    void whoGetsNothingPaysNothing() {
        fixture.head("a", (_, call) -> call.out.onError(Status.UNAVAILABLE.asRuntimeException()));
        assertThat(fixture.caller.chat(GatewayFixture.chat("")).status()).isGreaterThan(400);
        assertThat(desk.uses).isEmpty();
    }

    @Test
    void aRouteThatACoordinatorSignedEarns() throws GeneralSecurityException {
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        desk.keys.put("known", pair.getPublic());
        assertThat(afterReroute(pair, "known", "spare").stages())
                .extracting(RouteStage::workerId)
                .containsExactly("a", "spare");
    }

    @Test
    void aRouteThatNobodySignedEarnsNothing() throws GeneralSecurityException {
        KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        Use use = afterReroute(pair, "forged", "friend");
        assertThat(use.stages()).isEmpty();
        assertThat(use.answerTokens()).isEqualTo(1);
    }

    private Use afterReroute(KeyPair pair, String keyId, String spare) {
        fixture.head(
                "a",
                (_, call) -> {
                    call.started();
                    call.token(0, "one ");
                    call.out.onNext(rerouted(pair, keyId, spare));
                    call.token(1, "two");
                    call.finished(FinishReason.FINISH_REASON_STOP, 2);
                });
        fixture.caller.chat(STREAM);
        awaitTokens(2);
        return desk.uses.getLast();
    }

    private static GenerationEvent rerouted(KeyPair pair, String keyId, String spare) {
        List<RouteStage> stages =
                List.of(
                        new RouteStage("a", "h:1", new Span(0, 3)),
                        new RouteStage(spare, "h:2", new Span(3, 6)));
        Ticket next =
                new Ticket(new SessionId(1, 2), 2, ScriptedPool.MODEL, 6, stages, "", 512, 1, 1);
        SealedTicket sealed = Tickets.seal(next, keyId, pair.getPrivate());
        return GenerationEvent.newBuilder()
                .setRerouted(
                        Rerouted.newBuilder()
                                .setEpoch(2)
                                .addAllRoute(stages.stream().map(Wire::toWire).toList())
                                .setTicket(Tickets.toWire(sealed)))
                .build();
    }

    private void awaitTokens(int tokens) {
        await().untilAsserted(() -> assertThat(desk.answerTokens()).isEqualTo(tokens));
    }
}
