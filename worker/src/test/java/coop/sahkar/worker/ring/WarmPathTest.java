package coop.sahkar.worker.ring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** The way between two batches is gone through once it is prepared, and never fails its caller. */
class WarmPathTest {
    private final Queue<Runnable> later = new ArrayDeque<>();

    @Test
    void itIsPreparedElsewhereOnceAndThenGoneThrough() {
        WarmPath path = new WarmPath(later::add, () -> 0);

        assertThat(path.pass()).isZero();
        assertThat(path.pass()).isZero();
        assertThat(later).hasSize(1);
        later.remove().run();

        int first = path.pass();
        assertThat(first).isPositive();
        assertThat(path.pass()).isEqualTo(2 * first - 1);
    }

    @Test
    void aWorkerThatClosesRehearsesNothing() {
        WarmPath path =
                new WarmPath(
                        _ -> {
                            throw new RejectedExecutionException();
                        },
                        () -> 0);

        assertThat(path.pass()).isZero();
        assertThat(path.pass()).isZero();
    }
}
