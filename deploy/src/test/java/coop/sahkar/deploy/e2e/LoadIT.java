package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.Completion;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.v1.GetManifestRequest;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.WorkerStatus;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.TensorType;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Many requests: each gets what it would get alone, and memory stays where it was. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LoadIT {
    private static final int TOGETHER = 24;
    private static final int WARM_REQUESTS = 200;
    private static final int REQUESTS = 1_000;
    private static final int ROUNDS = 6;
    private static final int AT_A_TIME = 8;
    private static final int LIMIT_SECONDS = 120;

    /**
     * What a thousand requests may leave behind, 12 KiB for each: a session that is never let go
     * leaves more.
     */
    private static final long LEFT_BEHIND_BYTES = 12L << 20;

    /** What a worker may hold beyond weights and KV. */
    private static final long OVERHEAD_BYTES = 300L << 20;

    @TempDir private static Path scratch = Path.of("");
    private @Nullable TestPool running;

    @BeforeAll
    void start() throws Exception {
        running = TestPool.serving(scratch, Distribution.bundledModel(), 3, 3);
    }

    @AfterAll
    void end() {
        pool().close();
    }

    @Test
    @Order(1)
    void manyTogetherGetWhatEachGetsAlone() throws Exception {
        int same = compare(i -> Questions.brief(pool().model(), Questions.different(i)));
        // The width of a batch changes the last bits of floats, and so, now and then, a near tie.
        assertThat(same).isGreaterThanOrEqualTo((int) Math.ceil(TOGETHER * 0.95));
    }

    @Test
    @Order(2)
    void aSeedGivesTheSameTextAloneAndInACrowd() throws Exception {
        int same = compare(i -> Questions.sampled(pool().model(), Questions.different(i), i));
        assertThat(same).isGreaterThanOrEqualTo((int) Math.ceil(TOGETHER * 0.85));
    }

    private int compare(Function<Integer, InferenceRequest> requests) throws Exception {
        List<InferenceRequest> all =
                IntStream.range(0, TOGETHER).mapToObj(requests::apply).toList();
        List<String> alone =
                all.stream().map(pool().client()::complete).map(Completion::text).toList();
        List<String> together = run(all, TOGETHER);
        int same = 0;
        for (int i = 0; i < TOGETHER; i++) {
            same += alone.get(i).equals(together.get(i)) ? 1 : 0;
        }
        System.out.printf("%d of %d texts are the same alone and together%n", same, TOGETHER);
        return same;
    }

    @Test
    @Order(3)
    void aThousandRequestsLeaveNoMemoryBehind() throws Exception {
        run(briefs(WARM_REQUESTS), AT_A_TIME);
        Map<String, Long> most = resident();
        boolean grows = true;
        // Compiling and a heap being filled for the first time end some day; what requests leave
        // behind never does.
        for (int round = 1; grows && round <= ROUNDS; round++) {
            run(briefs(REQUESTS), AT_A_TIME);
            Map<String, Long> after = resident();
            grows = false;
            for (Map.Entry<String, Long> worker : after.entrySet()) {
                long earlier = Objects.requireNonNull(most.get(worker.getKey()));
                grows |= worker.getValue() - earlier > LEFT_BEHIND_BYTES;
                System.out.printf(
                        "round %d, %s: at most %d MB, after %d more requests %d MB%n",
                        round, worker.getKey(), earlier >> 20, REQUESTS, worker.getValue() >> 20);
            }
            after.forEach((worker, bytes) -> most.merge(worker, bytes, Math::max));
        }
        assertThat(grows).as("every %d requests leave memory behind", REQUESTS).isFalse();
        assertWithinBounds();
        await().atMost(TestPool.SOON).until(() -> pool().idle());
    }

    @Test
    @Order(4)
    void weightsLieOutsideTheHeap() throws Exception {
        Path model = scratch.resolve("random-160m.gguf");
        RandomModel.preset("160M", TensorType.F16, 1).write(model, Progress.NONE);
        pool().withdraw(pool().model());
        await().atMost(TestPool.SOON).until(() -> pool().shards().isEmpty());
        pool().publish(model, 3);
        InferenceRequest request = Questions.continued(pool().model(), 16);
        assertThat(pool().client().complete(request).usage().completionTokens()).isEqualTo(16);

        assertWithinBounds();
    }

    /** What loading has freed goes back to the system every ten seconds: it may be there still. */
    private void assertWithinBounds() {
        await().atMost(TestPool.SOON).untilAsserted(this::checkBounds);
    }

    private void checkBounds() throws IOException {
        Map<String, Long> resident = resident();
        for (WorkerStatus worker : pool().status().getWorkersList()) {
            String id = worker.getHello().getWorkerId();
            long weights =
                    worker.getShardsList().stream().mapToLong(ShardReport::getBytesTotal).sum();
            long kv = worker.getShardsList().stream().mapToLong(this::kvBytes).sum();
            long bytes = Objects.requireNonNull(resident.get(id));
            System.out.printf(
                    "%s: resident %d MB = weights %d MB + KV %d MB + %d MB%n",
                    id, bytes >> 20, weights >> 20, kv >> 20, (bytes - weights - kv) >> 20);
            assertThat(bytes).as(id).isLessThanOrEqualTo(weights + kv + OVERHEAD_BYTES);
        }
    }

    private long kvBytes(ShardReport shard) {
        Manifest manifest =
                ModelsGrpc.newBlockingStub(pool().channel())
                        .getManifest(
                                GetManifestRequest.newBuilder()
                                        .setModelId(shard.getModelId())
                                        .build());
        long blocks = (long) shard.getSpan().getEnd() - shard.getSpan().getFirst();
        return blocks * shard.getKvCells() * manifest.getKvBytesPerPositionPerBlock();
    }

    private Map<String, Long> resident() throws IOException {
        Map<String, Long> bytes = new TreeMap<>();
        for (int i = 1; i <= 3; i++) {
            bytes.put("worker-" + i, pool().node("worker-" + i).residentBytes());
        }
        return bytes;
    }

    private List<InferenceRequest> briefs(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Questions.tiny(pool().model(), Questions.different(i)))
                .toList();
    }

    private List<String> run(List<InferenceRequest> requests, int atATime) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(atATime)) {
            List<Future<String>> answers = new ArrayList<>();
            for (InferenceRequest request : requests) {
                answers.add(threads.submit(() -> pool().client().complete(request).text()));
            }
            List<String> texts = new ArrayList<>();
            for (Future<String> answer : answers) {
                texts.add(answer.get(LIMIT_SECONDS, TimeUnit.SECONDS));
            }
            return texts;
        }
    }

    private TestPool pool() {
        return Objects.requireNonNull(running);
    }
}
