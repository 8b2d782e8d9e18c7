package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.ModelInfo;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.ShardState;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.store.Publication;
import coop.sahkar.worker.store.PublishOptions;
import coop.sahkar.worker.store.Publisher;
import coop.sahkar.worker.store.StoreException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that are full: said in a sentence, nothing torn, and all is well once there is room. */
class FullDiskIT {
    private static final int ROOM_KILOBYTES = 200_000;
    private static final int MANY = 300;
    private static final Duration REFUSAL_BOUND = Duration.ofSeconds(30);

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
    void aCoordinatorWithoutRoomRefusesAndForgetsNothing() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(scratch.resolve("coordinator"), 30_000);
                TestPool pool = TestPool.start(scratch)) {
            publish(pool, "first").close();
            disk.fill();

            long began = System.nanoTime();
            assertThatThrownBy(() -> publishMany(pool))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("log");
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(REFUSAL_BOUND);

            disk.grow(ROOM_KILOBYTES);
            pool.coordinator().kill();
            pool.startCoordinator();
            assertThat(names(pool)).contains("first");
            publish(pool, "third").close();
            assertThat(names(pool)).contains("first", "third");
        }
    }

    private static Publication publish(TestPool pool, String name) throws Exception {
        return Publisher.publish(
                Distribution.bundledModel(),
                PublishOptions.local(List.of(pool.address())).withName(name),
                Progress.NONE);
    }

    /** The log's file has some room of its own, made beforehand. */
    private static void publishMany(TestPool pool) throws Exception {
        for (int i = 0; i < MANY; i++) {
            publish(pool, "more-" + i).close();
        }
    }

    private static List<String> names(TestPool pool) {
        return pool.client().models().stream().map(ModelInfo::name).toList();
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
