package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.coordinator.accounts.AccountDesk;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.coordinator.accounts.HostKey;
import coop.sahkar.coordinator.limits.Wish;
import coop.sahkar.coordinator.state.Command.Setting;
import coop.sahkar.proto.v1.CoordinatorPass;
import coop.sahkar.proto.v1.LimitsGrpc;
import coop.sahkar.proto.v1.TakeRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three coordinators with their gateways: a limit is the same whichever of them is asked. */
class SharedLimitsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int COORDINATORS = 3;

    @TempDir private Path folder = Path.of("");

    private final List<Coordinator> coordinators = new ArrayList<>();
    private final List<Gateway> gateways = new ArrayList<>();
    private final List<Caller> callers = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        String first = "";
        for (int i = 0; i < COORDINATORS; i++) {
            int port = freePort();
            String address = "127.0.0.1:" + port;
            CoordinatorOptions options =
                    CoordinatorOptions.single("c" + i, folder.resolve("c" + i))
                            .withRaft("127.0.0.1", freePort())
                            .withAdvertised(List.of(address))
                            .withStartTimeout(60_000);
            Coordinator coordinator =
                    Coordinator.start(first.isEmpty() ? options : options.joining(first));
            coordinators.add(coordinator);
            gateways.add(
                    Gateway.start(coordinator, GatewayOptions.defaults().at("127.0.0.1", port)));
            coordinator.announce(address);
            callers.add(new Caller(gateways.getLast().url()));
            first = first.isEmpty() ? address : first;
        }
    }

    @AfterEach
    void stop() {
        callers.forEach(Caller::close);
        gateways.forEach(Gateway::close);
        coordinators.forEach(Coordinator::close);
    }

    @Test
    void theLimitIsOneForAllAndOnlyCoordinatorsMayShareIt() {
        Coordinator first = coordinators.getFirst();
        String host = HostKey.read(folder.resolve("c0")).orElseThrow();
        AccountDesk desk = first.gate().desk();
        var operator = ((Doorkeeper.Entry.Known) identify(first, host)).caller();
        String key = desk.create(operator, "asha", "", "", "").secret();
        desk.change(
                operator,
                List.of(new Setting("tiers.member.requests_per_minute", "12")),
                List.of());
        for (Coordinator coordinator : coordinators) {
            await().atMost(PATIENCE)
                    .until(() ->
                            coordinator
                                    .pool()
                                    .state()
                                    .accounts()
                                    .equals(first.pool().state().accounts()));
        }

        awaitThatAllAskTheLeader();
        int passed = 0;
        for (int i = 0; i < 36; i++) {
            Caller.Reply reply = chat(callers.get(i % COORDINATORS), key);
            assertThat(reply.status()).isIn(404, 429); // no model is published
            passed += reply.status() == 404 ? 1 : 0;
        }
        assertThat(passed).isEqualTo(12);
        assertThat(coordinators.stream().filter(c -> c.gate().used().get().isPresent()))
                .as("who counts")
                .hasSize(1);
        aStrangerMayNot();
    }

    /** The first question also makes the connection, which may take its time on a busy machine. */
    private void awaitThatAllAskTheLeader() {
        for (Coordinator coordinator : coordinators) {
            String account = "warm-" + coordinator.id();
            await().atMost(PATIENCE)
                    .until(() -> {
                        String id = UUID.randomUUID().toString();
                        coordinator.gate().allowances().take(new Wish(id, account, 0, 0)).join();
                        return coordinators.stream()
                                .flatMap(c -> c.gate().used().get().stream())
                                .flatMap(List::stream)
                                .anyMatch(used -> used.account().equals(account));
                    });
        }
    }

    private void aStrangerMayNot() {
        ManagedChannel channel =
                NettyChannelBuilder.forAddress("127.0.0.1", gateways.getFirst().port())
                        .usePlaintext()
                        .build();
        try {
            TakeRequest forged =
                    TakeRequest.newBuilder()
                            .setPass(
                                    CoordinatorPass.newBuilder()
                                            .setKeyId(aTicketKey())
                                            .setUntilMillis(System.currentTimeMillis() + 1000))
                            .setId("x")
                            .setAccount("y")
                            .build();
            Assertions.assertThatThrownBy(() -> LimitsGrpc.newBlockingStub(channel).take(forged))
                    .isInstanceOfSatisfying(
                            StatusRuntimeException.class,
                            e ->
                                    assertThat(e.getStatus().getCode())
                                            .isEqualTo(Status.Code.PERMISSION_DENIED));
        } finally {
            channel.shutdownNow();
        }
    }

    private String aTicketKey() {
        return coordinators.getFirst().pool().state().ticketKeys().firstKey();
    }

    private static Doorkeeper.Entry identify(Coordinator coordinator, String key) {
        return coordinator
                .gate()
                .doorkeeper()
                .identify("Bearer " + key, null, InetAddress.getLoopbackAddress());
    }

    private static Caller.Reply chat(Caller caller, String key) {
        return caller.send(
                HttpRequest.newBuilder(
                                caller.postRequest("/v1/chat/completions", GatewayFixture.chat("")),
                                (_, _) -> true)
                        .header("authorization", "Bearer " + key)
                        .build());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
