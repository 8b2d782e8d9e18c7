package coop.sahkar.coordinator.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.state.Command.AnnounceCoordinator;
import coop.sahkar.coordinator.state.Command.RaiseLevel;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.CoordinatorRecord;
import coop.sahkar.coordinator.state.FeatureLevel;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.proto.tls.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThreeNodesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int WRITES = 30;
    private static final CoordinatorRecord LEVEL =
            new CoordinatorRecord("c1", "h:1", FeatureLevel.KNOWN, "k");
    private final AtomicLong ids = new AtomicLong();
    private final SortedMap<String, RatisLog> nodes = new TreeMap<>();
    private final List<RaftNode.Address> addresses = new ArrayList<>();

    @TempDir Path directory;

    @AfterEach
    void stop() {
        nodes.values().forEach(RatisLog::close);
    }

    @Test
    void stateSurvivesTheLeaderAndAReturningNodeCatchesUp() throws IOException {
        startAll();
        register("w1", "c1");
        register("w2", "c2");
        register("w3", "c3");
        for (int i = 0; i < WRITES; i++) {
            String through = "c" + (1 + i % 3);
            register("r" + i, through);
            assertThat(node(through).state().workers())
                    .as("%s has what it was told is written", through)
                    .containsKey("r" + i);
        }
        assertThat(node("c1").propose(new AnnounceCoordinator(LEVEL))).isEmpty();
        assertThat(node("c1").propose(new RaiseLevel(FeatureLevel.KNOWN))).isEmpty();
        for (int i = 0; i < WRITES; i++) {
            register("q" + i, "c" + (1 + i % 3));
            assertThat(node("c" + (1 + (i + 1) % 3)).latest().workers())
                    .as("read elsewhere, right after")
                    .containsKey("q" + i);
        }
        assertThat(nodes.values()).allMatch(node -> node.ageMillis() < PATIENCE.toMillis());
        String leader = node("c1").leaderId();
        node(leader).close();
        nodes.remove(leader);
        String survivor = nodes.firstKey();
        register("w4", survivor);
        await().atMost(PATIENCE).until(() -> nodes.values().stream().anyMatch(RatisLog::leads));
        RaftNode.Address lost =
                addresses.stream().filter(a -> a.id().equals(leader)).findFirst().orElseThrow();
        RatisLogTest.emptyVote(directory.resolve(leader)); // as a full disk leaves it
        nodes.put(leader, start(lost));
        byte[] expected = SnapshotCodec.write(node(survivor).state());
        assertThat(node(survivor).state().workers()).containsKeys("w1", "w2", "w3", "w4");
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(nodes.values())
                                .allSatisfy(n ->
                                        assertThat(SnapshotCodec.write(n.state()))
                                                .isEqualTo(expected)));
    }

    /** Ratis' client takes nothing more once it has given up one command. */
    @Test
    void aNodeThatReachedNobodyForTooLongWritesAgainWhenItDoes() throws IOException {
        startAll();
        register("w1", "c1");
        for (String id : List.of("c2", "c3")) {
            node(id).close();
            nodes.remove(id);
        }
        assertThatThrownBy(() -> register("w2", "c1")).isInstanceOf(LogUnavailableException.class);
        assertThatThrownBy(() -> node("c1").latest()).isInstanceOf(LogUnavailableException.class);
        assertThat(node("c1").ageMillis()).isGreaterThan(Proposals.MOST_MILLIS);
        nodes.put("c2", start(addresses.get(1)));
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .untilAsserted(() -> {
                    register("w3", "c1");
                    assertThat(node("c1").state().workers()).containsKeys("w1", "w3");
                });
    }

    private void startAll() throws IOException {
        for (String id : List.of("c1", "c2", "c3")) {
            addresses.add(new RaftNode.Address(id, "127.0.0.1", RatisLogTest.freePort()));
        }
        List<CompletableFuture<RatisLog>> starting =
                addresses.stream().map(a -> CompletableFuture.supplyAsync(() -> start(a))).toList();
        for (int i = 0; i < 3; i++) {
            nodes.put(addresses.get(i).id(), starting.get(i).join());
        }
    }

    private void register(String worker, String through) {
        assertThat(node(through).propose(new RegisterWorker(Fixtures.worker(worker, 1, 1))))
                .isEmpty();
    }

    private RatisLog node(String id) {
        RatisLog node = nodes.get(id);
        assertThat(node).as(id).isNotNull();
        return node;
    }

    private RatisLog start(RaftNode.Address self) {
        return RatisLog.start(
                new RaftNode(RaftNode.UNNAMED, self, addresses, false),
                directory.resolve(self.id()),
                () -> new CommandId(3, ids.incrementAndGet()),
                30_000,
                Transport.OPEN);
    }
}
