package coop.sahkar.worker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerIdentityTest {
    @TempDir Path directory;

    private WorkerIdentity open(@Nullable String wanted, long seed) throws WorkerException {
        return WorkerIdentity.open(directory.resolve("worker"), wanted, new Random(seed));
    }

    @Test
    void keepsTheIdItMadeAtItsFirstStart() throws Exception {
        String first;
        try (WorkerIdentity identity = open(null, 1)) {
            first = identity.workerId();
            assertThat(first).matches("w-[a-z2-7]{8}");
        }
        try (WorkerIdentity identity = open(null, 2)) {
            assertThat(identity.workerId()).isEqualTo(first);
        }
    }

    @Test
    void takesTheNameItsDonorGives() throws Exception {
        open("kitchen", 1).close();
        try (WorkerIdentity identity = open(null, 1)) {
            assertThat(identity.workerId()).isEqualTo("kitchen");
        }
        assertThatThrownBy(() -> open("the kitchen", 1))
                .isInstanceOf(WorkerException.class)
                .hasMessageContaining("letters, digits");
    }

    @Test
    void letsNoSecondWorkerUseTheDirectory() throws Exception {
        try (WorkerIdentity identity = open(null, 1)) {
            assertThatThrownBy(() -> open(null, 1))
                    .isInstanceOf(WorkerException.class)
                    .hasMessageContaining("another worker uses the data directory");
            assertThat(identity.workerId()).isNotEmpty();
        }
        open(null, 1).close();
    }

    @Test
    void saysWhenTheKeptIdIsDamaged() throws Exception {
        open(null, 1).close();
        Files.writeString(directory.resolve("worker/worker-id"), "\u0000\n");
        assertThatThrownBy(() -> open(null, 1)).hasMessageContaining("worker-id");
        Files.delete(directory.resolve("worker/worker-id"));
        open(null, 1).close();
    }
}
