package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.accounts.KeyText;
import coop.sahkar.proto.v1.AccountsGrpc;
import coop.sahkar.proto.v1.CreateKeyReply;
import coop.sahkar.proto.v1.CreateKeyRequest;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationGrpc;
import coop.sahkar.proto.v1.PolicySetting;
import coop.sahkar.proto.v1.ProblemCode;
import coop.sahkar.proto.v1.RevokeKeyRequest;
import coop.sahkar.proto.v1.SetPolicyRequest;
import coop.sahkar.proto.v1.UsageRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Keys and limits as callers meet them, over HTTP and gRPC. */
class KeysTest {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private final GatewayFixture fixture = new GatewayFixture();
    private final ManagedChannel channel =
            NettyChannelBuilder.forAddress("127.0.0.1", fixture.gateway.port())
                    .usePlaintext()
                    .build();

    @BeforeEach
    void oneHead() {
        fixture.head("w1", ScriptedHead.saying("Hello", " there"));
    }

    @AfterEach
    void close() {
        channel.shutdownNow();
        fixture.close();
    }

    @Test
    void aWrongKeyIsRefusedInOpenAisShapeAndAMeaninglessOneIsNone() {
        for (String path : List.of("/v1/models", "/v1/models/x", "/api/tags", "/v1/usage")) {
            assertThat(get(path, "none").status()).isNotEqualTo(401);
            assertThat(get(path, KeyText.PREFIX + "1234").status()).isEqualTo(401);
        }
        assertThat(chat("sk-no-key-required", "").status()).isEqualTo(200);
        Caller.Reply refused = chat(KeyText.PREFIX + "1234", "");
        assertThat(refused.status()).isEqualTo(401);
        var error = refused.json().get("error");
        assertThat(error.get("type").stringValue()).isEqualTo("authentication_error");
        assertThat(error.get("code").stringValue()).isEqualTo("invalid_api_key");
        assertThat(error.get("param").isNull()).isTrue();
        assertThat(error.get("message").stringValue()).doesNotContain("1234");
        assertThat(refused.header("x-request-id")).isNotEmpty();
    }

    @Test
    void withoutTheAnonymousTierOnlyKeysAreServedAndOpenPagesStayOpen() {
        String key = key("asha", "");
        set("anonymous", "off");
        assertThat(chat("none", "").status()).isEqualTo(401);
        assertThat(fixture.caller.chat(GatewayFixture.chat("")).status()).isEqualTo(401);
        assertThat(fixture.caller.post("/tokenize", "{}").status()).isEqualTo(401);
        assertThat(fixture.caller.post("/api/chat", "{}").json().has("error")).isTrue();
        for (String open : List.of("/", "/health", "/metrics", "/v1/policy", "/api/version")) {
            assertThat(fixture.caller.get(open).status()).as(open).isEqualTo(200);
        }
        assertThat(chat(key, "").status()).isEqualTo(200);
        HttpRequest otherHeader =
                fixture.caller.request("/v1/models").header("x-api-key", key).GET().build();
        assertThat(fixture.caller.send(otherHeader).status()).isEqualTo(200);
        assertThat(fixture.caller.get("/v1/policy").json().get("anonymous").booleanValue())
                .isFalse();
    }

    @Test
    void aRevokedKeyIsRefusedAtOnce() {
        CreateKeyReply made = create("asha", "");
        assertThat(chat(made.getSecret(), "").status()).isEqualTo(200);
        accounts(ScriptedPool.HOST_KEY)
                .revokeKey(RevokeKeyRequest.newBuilder().setKeyId(made.getKey().getId()).build());
        assertThat(chat(made.getSecret(), "").status()).isEqualTo(401);
    }

    @Test
    void limitsAreToldInHeadersAndEndIn429WithTheTimeToWait() {
        String key = key("asha", "");
        set("tiers.member.requests_per_minute", "2");
        set("tiers.member.tokens_per_minute", "1000");
        Caller.Reply first = chat(key, ",\"max_tokens\":10");
        assertThat(first.header("x-ratelimit-limit-requests")).isEqualTo("2");
        assertThat(first.header("x-ratelimit-remaining-requests")).isEqualTo("1");
        assertThat(first.header("x-ratelimit-reset-requests")).matches("1m[01]s");
        assertThat(first.header("x-ratelimit-limit-tokens")).isEqualTo("1000");
        int left = Integer.parseInt(first.header("x-ratelimit-remaining-tokens"));
        assertThat(left).isBetween(900, 989);
        assertThat(chat(key, ",\"stream\":true").header("x-ratelimit-remaining-requests"))
                .isEqualTo("0");
        Caller.Reply refused = chat(key, "");
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.json().get("error").get("code").stringValue())
                .isEqualTo("rate_limit_exceeded");
        int seconds = Integer.parseInt(refused.header("retry-after"));
        fixture.pool.millis.addAndGet((seconds - 2) * 1_000L);
        assertThat(chat(key, "").status()).isEqualTo(429);
        fixture.pool.millis.addAndGet(2_000L);
        assertThat(chat(key, "").status()).isEqualTo(200);
        assertThat(chat("none", "").header("x-ratelimit-limit-requests")).isEmpty();
    }

    @Test
    void aDaysTokensAreCountedAsTheyWereUsedAndSdksAreToldNotToTryAgain() {
        String key = key("asha", "");
        int used = ScriptedHead.PROMPT_TOKENS + 2;
        set("tiers.member.tokens_per_day", Integer.toString(2 * used + 50));
        chat(key, ",\"max_tokens\":20");
        chat(key, ",\"max_tokens\":20");
        await().atMost(Duration.ofSeconds(10)).until(() -> tokensToday(key) == 2L * used);
        Caller.Reply refused = chat(key, ",\"max_tokens\":49");
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.header("x-should-retry")).isEqualTo("false");
        assertThat(Integer.parseInt(refused.header("retry-after"))).isGreaterThan(3600);
    }

    @Test
    void severalAnswersAreOneRequestAndOnePromptButSeveralSessions() {
        String key = key("asha", "");
        set("tiers.member.concurrent_sessions", "2");
        assertThat(chat(key, ",\"n\":2").status()).isEqualTo(200);
        int used = ScriptedHead.PROMPT_TOKENS + 2 * 2;
        await().atMost(Duration.ofSeconds(10)).until(() -> tokensToday(key) == used);
        assertThat(chat(key, ",\"n\":3").status())
                .as("more than ever, but nobody else")
                .isEqualTo(200);
    }

    @Test
    void answersAtOnceAreBounded() throws InterruptedException {
        String key = key("asha", "");
        set("tiers.member.concurrent_sessions", "1");
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        fixture.head(
                "w1",
                (_, call) -> {
                    call.started();
                    call.prefilled(ScriptedHead.PROMPT_TOKENS);
                    running.countDown();
                    Thread.ofVirtual()
                            .start(() -> {
                                await().atMost(Duration.ofSeconds(20))
                                        .until(() -> go.getCount() == 0);
                                call.token(0, "Hello");
                                call.finished(FinishReason.FINISH_REASON_STOP, 1);
                            });
                });
        Thread first = Thread.ofVirtual().start(() -> chat(key, ""));
        running.await();
        assertThat(chat(key, "").json().get("error").get("message").stringValue())
                .contains("1 answers at once");
        assertThat(chat("none", ",\"max_tokens\":0").status()).isEqualTo(400);
        go.countDown();
        first.join();
        await().atMost(Duration.ofSeconds(10)).until(() -> chat(key, "").status() == 200);
    }

    @Test
    void aTiersContextBoundsSessions() {
        String key = key("asha", "");
        set("tiers.member.context_tokens", "100");
        assertThat(chat(key, ",\"max_tokens\":101").status()).isEqualTo(400);
        assertThat(chat("none", ",\"max_tokens\":101").status()).isEqualTo(200);
        assertThat(chat(key, ",\"max_tokens\":50").status()).isEqualTo(200);
        assertThat(fixture.pool.draws.getLast().positions()).isEqualTo(100);
    }

    @Test
    void overGrpcTheSameHolds() {
        String key = key("asha", "");
        set("tiers.member.requests_per_minute", "1");
        assertThat(generate(KeyText.PREFIX + "1234").getFailed().getProblem().getCode())
                .isEqualTo(ProblemCode.PROBLEM_CODE_UNAUTHORIZED);
        assertThat(generate(key).hasFinished()).isTrue();
        var problem = generate(key).getFailed().getProblem();
        assertThat(problem.getCode()).isEqualTo(ProblemCode.PROBLEM_CODE_RATE_LIMITED);
        assertThat(problem.getRetryAfterMillis()).isBetween(59_000, 61_000);
    }

    @Test
    void onlyOperatorsMayDoWhatOperatorsDo() {
        String key = key("asha", "");
        assertStatus(Status.Code.PERMISSION_DENIED, () -> create("bela", "", "none"));
        assertStatus(Status.Code.PERMISSION_DENIED, () -> create("bela", "", key));
        assertStatus(
                Status.Code.UNAUTHENTICATED, () -> create("bela", "", KeyText.PREFIX + "1234"));
        assertStatus(
                Status.Code.INVALID_ARGUMENT, () -> create("no spaces", "", ScriptedPool.HOST_KEY));
        assertThat(get("/v1/usage?all=true", key).status()).isEqualTo(403);
        assertThat(get("/v1/usage?all=true", ScriptedPool.HOST_KEY).status()).isEqualTo(200);
        String operator = create("chitra", "operator").getSecret();
        assertThat(create("bela", "", operator).getKey().getRole()).isEqualTo("member");
    }

    private static void assertStatus(
            Status.Code code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code));
    }

    private long tokensToday(String key) {
        return accounts(key).usage(UsageRequest.getDefaultInstance()).getAccountsList().stream()
                .mapToLong(used -> used.getTokensToday())
                .sum();
    }

    private String key(String account, String role) {
        return create(account, role).getSecret();
    }

    private CreateKeyReply create(String account, String role) {
        return create(account, role, ScriptedPool.HOST_KEY);
    }

    private CreateKeyReply create(String account, String role, String as) {
        return accounts(as)
                .createKey(CreateKeyRequest.newBuilder().setAccount(account).setRole(role).build());
    }

    private void set(String name, String value) {
        accounts(ScriptedPool.HOST_KEY)
                .setPolicy(
                        SetPolicyRequest.newBuilder()
                                .addSettings(
                                        PolicySetting.newBuilder().setName(name).setValue(value))
                                .build());
    }

    private AccountsGrpc.AccountsBlockingStub accounts(String key) {
        return with(AccountsGrpc.newBlockingStub(channel), key);
    }

    private static <T extends AbstractStub<T>> T with(T stub, String key) {
        Metadata headers = new Metadata();
        headers.put(AUTHORIZATION, "Bearer " + key);
        return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private GenerationEvent generate(String key) {
        List<GenerationEvent> events = new ArrayList<>();
        with(GenerationGrpc.newBlockingStub(channel), key)
                .generate(
                        GenerateRequest.newBuilder()
                                .setModel(ScriptedPool.NAME)
                                .setPrompt("Hello")
                                .build())
                .forEachRemaining(events::add);
        return events.getLast();
    }

    private Caller.Reply chat(String key, String more) {
        return send("/v1/chat/completions", GatewayFixture.chat(more), key);
    }

    private Caller.Reply send(String path, String body, String key) {
        return fixture.caller.send(
                HttpRequest.newBuilder(fixture.caller.postRequest(path, body), (_, _) -> true)
                        .header("authorization", "Bearer " + key)
                        .build());
    }

    private Caller.Reply get(String path, String key) {
        return fixture.caller.send(
                fixture.caller
                        .request(path)
                        .header("authorization", "Bearer " + key)
                        .GET()
                        .build());
    }
}
