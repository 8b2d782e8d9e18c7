package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.v1.LedgerAccount;
import coop.sahkar.proto.v1.LedgerGrpc;
import coop.sahkar.proto.v1.LedgerPart;
import coop.sahkar.proto.v1.LedgerRequest;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.WorkerStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** What survives the end of a process: models, placement, fetched shards, the books. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RestartIT {
    private static final String QUESTION = "What is a worker?";

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
    void aKilledCoordinatorKeepsModelsAndPlacement() throws Exception {
        String answer = answer();
        PoolStatus before = pool().status();

        pool().coordinator().kill();
        pool().startCoordinator();
        pool().awaitServed();

        PoolStatus after = pool().status();
        assertThat(after.getGeneration()).isEqualTo(before.getGeneration());
        assertThat(assignments(after)).isEqualTo(assignments(before));
        assertThat(pool().present()).isEqualTo(3);
        assertThat(answer()).isEqualTo(answer);
    }

    @Test
    @Order(2)
    void aKilledWorkerComesBackWithWhatItHadFetched() throws Exception {
        String answer = answer();
        Map<Path, FileTime> files = shardFiles();
        assertThat(files).hasSize(3);
        long generation = pool().status().getGeneration();

        for (int i = 1; i <= 3; i++) {
            pool().node("worker-" + i).kill();
        }
        await().atMost(TestPool.SOON).until(() -> pool().present() == 0);
        for (int i = 1; i <= 3; i++) {
            pool().startWorker("worker-" + i);
        }
        pool().awaitPresent(3);
        pool().awaitServed();

        assertThat(answer()).isEqualTo(answer);
        assertThat(shardFiles()).as("not fetched again").isEqualTo(files);
        assertThat(pool().status().getGeneration()).isGreaterThanOrEqualTo(generation);
    }

    @Test
    @Order(3)
    void whatWasPostedOutlivesTheCoordinatorAndGoesOn() throws Exception {
        answer();
        await().atMost(TestPool.SOON).until(() -> books().getHead().getEarnedMicros() > 0);
        long before = books().getHead().getEarnedMicros();

        pool().coordinator().kill();
        pool().startCoordinator();
        pool().awaitServed();
        assertThat(books().getHead().getEarnedMicros()).isGreaterThanOrEqualTo(before);

        answer();
        await().atMost(TestPool.SOON).until(() -> books().getHead().getEarnedMicros() > before);
        LedgerPart books = books();
        assertThat(books.getHead().getSumMicros()).isZero();
        assertThat(books.getAccountsList())
                .extracting(LedgerAccount::getName)
                .containsExactly(
                        "commons", "worker/worker-1", "worker/worker-2", "worker/worker-3");
        assertThat(
                        books.getAccountsList().stream()
                                .mapToLong(LedgerAccount::getBalanceMicros)
                                .sum())
                .isZero();
        assertThat(books.getAccounts(0).getBalanceMicros()).as("the commons").isNegative();
        assertThat(books.getPostingsList()).isNotEmpty();
    }

    private LedgerPart books() {
        LedgerPart.Builder all = LedgerPart.newBuilder();
        LedgerGrpc.newBlockingStub(pool().channel())
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .read(LedgerRequest.newBuilder().setLatest(true).setPostings(true).build())
                .forEachRemaining(all::mergeFrom);
        return all.build();
    }

    private String answer() {
        return pool().client().complete(Questions.brief(pool().model(), QUESTION)).text();
    }

    private static Map<String, List<?>> assignments(PoolStatus status) {
        Map<String, List<?>> all = new TreeMap<>();
        for (WorkerStatus worker : status.getWorkersList()) {
            all.put(
                    worker.getHello().getWorkerId(),
                    worker.getAssignedList().stream()
                            .map(shard -> shard.toBuilder().clearSources().build())
                            .toList());
        }
        return all;
    }

    private Map<Path, FileTime> shardFiles() throws IOException {
        Map<Path, FileTime> times = new TreeMap<>();
        try (Stream<Path> all = Files.walk(scratch)) {
            for (Path file : all.filter(path -> path.toString().endsWith(".gguf")).toList()) {
                times.put(file, Files.getLastModifiedTime(file));
            }
        }
        return times;
    }

    private TestPool pool() {
        return java.util.Objects.requireNonNull(running);
    }
}
