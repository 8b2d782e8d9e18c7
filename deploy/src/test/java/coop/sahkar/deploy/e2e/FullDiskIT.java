package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.ModelInfo;
import coop.sahkar.deploy.cli.ExitCode;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.store.Publication;
import coop.sahkar.worker.store.PublishOptions;
import coop.sahkar.worker.store.Publisher;
import coop.sahkar.worker.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A full disk is said in a sentence, and all is well once there is room. */
class FullDiskIT {
    private static final int ROOM_KILOBYTES = 200_000;
    private static final int COORDINATOR_KILOBYTES = 8_000;
    private static final int MOST_PUBLISHED = 200;
    private static final Duration ANSWER_BOUND = Duration.ofSeconds(10);

    @TempDir private Path scratch = Path.of("");

    @Test
    void aWorkerWithoutRoomSaysSoAndServesOnceItHasSome() throws Exception {
        Path shards = scratch.resolve("worker-1/worker/shards");
        try (SmallDisk disk = SmallDisk.mount(shards, 100);
                TestPool pool = TestPool.start(scratch)) {
            pool.startWorker("worker-1");
            pool.awaitPresent(1);
            try (Publication model = publish(pool, "tiny")) {
                await().atMost(TestPool.SOON).until(() -> !failures(pool).isEmpty());
                assertThat(failures(pool).getFirst()).containsIgnoringCase("space");
                assertThat(pool.client().models().getFirst().explanation()).contains("worker-1");

                disk.grow(ROOM_KILOBYTES);

                await().atMost(TestPool.SOON).until(() -> ready(pool));
                assertThat(
                                pool.client()
                                        .complete(Questions.brief(model.modelId(), "Who are you?"))
                                        .text())
                        .contains("Sahkar");
            }
        }
    }

    @Test
    void aWorkerTakesNoMoreDiskThanItsDonorLends() throws Exception {
        try (TestPool pool = TestPool.start(scratch)) {
            Node worker = pool.startWorker("worker-1", "--disk", "2000000");
            pool.awaitPresent(1);
            try (Publication model = publish(pool, "tiny")) {
                await().atMost(TestPool.SOON).until(() -> !failures(pool).isEmpty());
                assertThat(failures(pool).getFirst())
                        .contains("MB of disk")
                        .contains("2 MB that may be used");
                assertThat(bytesUnder(scratch.resolve("worker-1/worker/shards")))
                        .isLessThanOrEqualTo(2_000_000);

                worker.close();
                pool.startWorker("worker-1", "--disk", "20M");

                await().atMost(TestPool.SOON).until(() -> ready(pool));
                assertThat(bytesUnder(scratch.resolve("worker-1/worker/shards")))
                        .isBetween(2_000_000L, 20L << 20);
                assertThat(model.modelId()).isEqualTo(pool.shards().getFirst().getModelId());
            }
        }
    }

    private static long bytesUnder(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    @Test
    void aCoordinatorWithoutRoomSaysSoAndEndsAndLosesNothing() throws Exception {
        Path data = scratch.resolve("coordinator");
        try (SmallDisk disk = SmallDisk.mount(data, COORDINATOR_KILOBYTES);
                TestPool pool = TestPool.start(scratch)) {
            Node coordinator = pool.coordinator();
            List<String> acknowledged = new ArrayList<>();
            acknowledged.add(publishAndClose(pool, "first"));
            disk.fill();

            Duration slowest = Duration.ZERO;
            StoreException refusal = null;
            for (int i = 0; i < MOST_PUBLISHED && refusal == null; i++) {
                long began = System.nanoTime();
                try {
                    acknowledged.add(publishAndClose(pool, "model-" + i));
                } catch (StoreException e) {
                    refusal = e;
                }
                Duration took = Duration.ofNanos(System.nanoTime() - began);
                slowest = took.compareTo(slowest) > 0 ? took : slowest;
            }

            assertThat(refusal).hasMessageContaining("No space left").hasMessageContaining("log");
            assertThat(slowest).isLessThan(ANSWER_BOUND);
            await("its end").atMost(TestPool.SOON).until(() -> !coordinator.alive());
            assertThat(coordinator.exitCode()).isEqualTo(ExitCode.LOG_FAILED);
            assertThat(coordinator.output()).contains("No space left").contains("start");

            disk.fill();
            try (Node tooEarly = pool.launchCoordinator()) {
                await("its end").atMost(TestPool.SOON).until(() -> !tooEarly.alive());
                assertThat(tooEarly.exitCode()).isEqualTo(ExitCode.LOG_FAILED);
            }

            disk.empty();
            pool.startCoordinator();

            assertThat(pool.client().models()).extracting(ModelInfo::id).containsAll(acknowledged);
            assertThat(publishAndClose(pool, "afterwards")).startsWith("afterwards@");
        }
    }

    private static String publishAndClose(TestPool pool, String name) throws Exception {
        try (Publication publication = publish(pool, name)) {
            return publication.modelId();
        }
    }

    private static Publication publish(TestPool pool, String name) throws Exception {
        return Publisher.publish(
                Distribution.bundledModel(),
                PublishOptions.local(List.of(pool.address())).withName(name),
                Progress.NONE);
    }

    private static boolean ready(TestPool pool) {
        return pool.client().models().stream().allMatch(ModelInfo::ready);
    }

    private static List<String> failures(TestPool pool) {
        return pool.shards().stream()
                .filter(shard -> shard.getState() == ShardState.SHARD_STATE_FAILED)
                .map(ShardReport::getFailure)
                .toList();
    }
}
