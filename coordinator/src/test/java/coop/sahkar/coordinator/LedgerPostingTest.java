package coop.sahkar.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.usage.Use;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Policy;
import coop.sahkar.governance.PolicySettings;
import coop.sahkar.governance.ledger.Ledger;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.LedgerAccount;
import coop.sahkar.proto.v1.LedgerGrpc;
import coop.sahkar.proto.v1.LedgerPart;
import coop.sahkar.proto.v1.LedgerRequest;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a coordinator counts gets into the log, through restarts, and can be read. */
class LedgerPostingTest {
    private static final int BRISK_MILLIS = 100;
    private static final int SLOW_MILLIS = 3_600_000;

    @TempDir Path directory;

    @Test
    void whatWasCountedIsPostedAndSurvivesRestarts() {
        try (Coordinator coordinator = start(BRISK_MILLIS)) {
            coordinator.usage().record(use(5));
            await().until(() -> spent(coordinator) == 300);
            assertThat(coordinator.pool().state().ledger().lastSequence("c1")).isEqualTo(1);
        }
        try (Coordinator coordinator = start(SLOW_MILLIS)) {
            assertThat(spent(coordinator)).isEqualTo(300);
            coordinator.usage().record(use(1));
        }
        try (Coordinator coordinator = start(BRISK_MILLIS)) {
            assertThat(spent(coordinator)).as("posted at the end").isEqualTo(360);
            Ledger ledger = coordinator.pool().state().ledger();
            assertThat(ledger.lastSequence("c1")).isEqualTo(2);
            assertThat(ledger.sumMicros()).isZero();
            coordinator.usage().record(use(1));
            await().until(() -> spent(coordinator) == 420);
        }
    }

    @Test
    void theBooksCanBeReadLatestAndKnown() throws IOException {
        try (Coordinator coordinator = start(BRISK_MILLIS)) {
            NettyServerBuilder builder =
                    NettyServerBuilder.forAddress(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            coordinator.services().forEach(builder::addService);
            Server server = builder.build().start();
            ManagedChannel channel =
                    NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                            .usePlaintext()
                            .build();
            var books = LedgerGrpc.newBlockingStub(channel);
            coordinator.usage().record(use(5));
            await().until(() -> spent(coordinator) == 300);
            LedgerPart.Builder all = LedgerPart.newBuilder();
            books.read(LedgerRequest.newBuilder().setLatest(true).setPostings(true).build())
                    .forEachRemaining(all::mergeFrom);
            assertThat(all.getHead().getSumMicros()).isZero();
            assertThat(all.getHead().getEarnedMicros()).isEqualTo(300);
            assertThat(all.getAccountsList())
                    .extracting(LedgerAccount::getName)
                    .containsExactly("commons", "worker/w1");
            assertThat(all.getPostings(0).getSpent(0).getMicros()).isEqualTo(300);
            for (int more = 1; more <= 5; more++) {
                long due = 300 + 60L * more;
                coordinator.usage().record(use(1));
                await().until(() -> spent(coordinator) == due);
                LedgerRequest latest = LedgerRequest.newBuilder().setLatest(true).build();
                assertThat(books.read(latest).next().getHead().getEarnedMicros()).isEqualTo(due);
            }
            LedgerRequest mine = LedgerRequest.newBuilder().setAccount("worker/w1").build();
            assertThat(books.read(mine).next().getAccounts(0).getBalanceMicros()).isEqualTo(600);
            LedgerRequest nonsense = LedgerRequest.newBuilder().setAccount("a b").build();
            Assertions.assertThatExceptionOfType(StatusRuntimeException.class)
                    .isThrownBy(() -> books.read(nonsense).next())
                    .matches(e -> e.getStatus().getCode() == Status.Code.INVALID_ARGUMENT);
            channel.shutdownNow();
            server.shutdownNow();
        }
    }

    private Coordinator start(int usageIntervalMillis) {
        PolicySettings settings =
                new PolicySettings(Policy.DEFAULT, Access.DEFAULT)
                        .with(
                                "ledger.usage_interval_millis",
                                Integer.toString(usageIntervalMillis));
        return Coordinator.start(
                CoordinatorOptions.single("c1", directory).withPolicy(settings.policy()));
    }

    private static long spent(Coordinator coordinator) {
        return coordinator.pool().state().ledger().account("commons").spentMicros();
    }

    private static Use use(int tokens) {
        return new Use(
                "commons",
                "m@d",
                6,
                1,
                List.of(new RouteStage("w1", "h:1", new Span(0, 6))),
                0,
                tokens);
    }
}
