package coop.sahkar.coordinator.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.tls.Transport;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RatisLogTest {
    private static final ModelManifest TINY = Fixtures.model("tiny", 6);
    private final AtomicLong ids = new AtomicLong();

    @TempDir Path directory;

    @Test
    void keepsEverythingOverARestartOnAnotherPort() throws IOException {
        byte[] before;
        try (RatisLog log = start(freePort())) {
            fill(log);
            before = SnapshotCodec.write(log.state());
            assertThat(log.leads()).isTrue();
            assertThat(log.leaderId()).isEqualTo("c1");
        }
        long began = System.nanoTime();
        try (RatisLog log = start(freePort())) {
            assertThat((System.nanoTime() - began) / 1_000_000).isLessThan(5000);
            assertThat(SnapshotCodec.write(log.state())).isEqualTo(before);
            assertThat(log.propose(new RegisterWorker(Fixtures.worker("w2", 1, 1)))).isEmpty();
            assertThat(log.state().workers()).containsOnlyKeys("w1", "w2");
        }
    }

    @Test
    void handsRefusalsBackAsValues() throws IOException {
        try (RatisLog log = start(freePort())) {
            fill(log);
            Placement stale = new Placement(1, 0, new TreeMap<>());
            assertThat(log.propose(new AdoptPlacement(stale)))
                    .hasValueSatisfying(r -> {
                        assertThat(r.reason()).isEqualTo(Refusal.Reason.STALE);
                        assertThat(r.message()).contains("1 is in force");
                    });
        }
    }

    @Test
    void survivesATornTail() throws IOException {
        try (RatisLog log = start(freePort())) {
            fill(log);
        }
        Path segment = openSegment();
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
            file.seek(file.length());
            file.write(new byte[] {40, 1, 2, 3, 4});
        }
        try (RatisLog log = start(freePort())) {
            assertThat(log.state().placement().generation()).isEqualTo(1);
            assertThat(log.propose(new RegisterWorker(Fixtures.worker("w2", 1, 1)))).isEmpty();
        }
        try (RatisLog log = start(freePort())) {
            assertThat(log.state().workers()).containsOnlyKeys("w1", "w2");
        }
    }

    @Test
    void goesOnTwiceWhereAFullDiskHasLeftItsVoteEmpty() throws IOException {
        byte[] before;
        try (RatisLog log = start(freePort())) {
            fill(log);
            before = SnapshotCodec.write(log.state());
        }
        for (int i = 0; i < 2; i++) {
            emptyVote(directory);
            try (RatisLog log = start(freePort())) {
                assertThat(SnapshotCodec.write(log.state())).isEqualTo(before);
                assertThat(log.propose(new RegisterWorker(Fixtures.worker("w2", 1, 1)))).isEmpty();
                before = SnapshotCodec.write(log.state());
            }
        }
    }

    static void emptyVote(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            Path vote = files.filter(f -> f.endsWith("raft-meta")).findFirst().orElseThrow();
            Files.writeString(vote, "");
        }
    }

    @Test
    void takesSnapshotsAndStartsFromThem() throws IOException {
        byte[] before;
        try (RatisLog log = start(freePort())) {
            for (int i = 0; i < RaftSettings.SNAPSHOT_EVERY_ENTRIES; i++) {
                log.propose(new RegisterWorker(Fixtures.worker("w1", i, 1)));
            }
            await().atMost(Duration.ofSeconds(10)).until(() -> exists("snapshot\\.[0-9_]+"));
            before = SnapshotCodec.write(log.state());
        }
        try (RatisLog log = start(freePort())) {
            assertThat(SnapshotCodec.write(log.state())).isEqualTo(before);
        }
    }

    private boolean exists(String name) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.anyMatch(p -> p.getFileName().toString().matches(name));
        }
    }

    @Test
    void saysThatThePortIsTaken() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> start(taken.getLocalPort()))
                    .isInstanceOf(LogUnavailableException.class)
                    .hasMessageContaining("port " + taken.getLocalPort());
        }
    }

    private void fill(RatisLog log) {
        assertThat(log.propose(new RegisterWorker(Fixtures.worker("w1", 1 << 30, 1)))).isEmpty();
        assertThat(log.propose(new PublishModel(TINY, List.of("http://x/m.gguf"), 0, 5))).isEmpty();
        AssignedShard shard = new AssignedShard(TINY.id(), new Span(0, 6), 64);
        Placement placement = new Placement(1, 0, new TreeMap<>(Map.of("w1", List.of(shard))));
        assertThat(log.propose(new AdoptPlacement(placement))).isEmpty();
    }

    private RatisLog start(int port) {
        RaftNode.Address self = new RaftNode.Address("c1", "127.0.0.1", port);
        return RatisLog.start(
                new RaftNode(RaftNode.UNNAMED, self, List.of(self), true),
                directory,
                () -> new CommandId(1, ids.incrementAndGet()),
                10_000,
                Transport.OPEN);
    }

    private Path openSegment() throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(p -> p.getFileName().toString().startsWith("log_inprogress"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
