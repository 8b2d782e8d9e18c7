package coop.sahkar.coordinator.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.state.LogUnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Many readers wait for one entry of the log, but none for one that was sent before it came. */
class BarriersTest {
    private static final int PATIENCE_MILLIS = 20_000;
    private static final int READERS = 20;

    private final AtomicInteger sent = new AtomicInteger();
    private final Semaphore written = new Semaphore(0);
    private final Barriers barriers = new Barriers(this::write);

    private void write() {
        sent.incrementAndGet();
        written.acquireUninterruptibly();
    }

    @Test
    void whoComesWhileOneIsUnderWayWaitsForTheNextAndSharesIt() {
        CompletableFuture<Void> first = pass();
        await().atMost(Duration.ofMillis(PATIENCE_MILLIS)).until(() -> sent.get() == 1);
        List<CompletableFuture<Void>> others = new ArrayList<>();
        for (int i = 0; i < READERS; i++) {
            others.add(pass());
        }
        await().atMost(Duration.ofMillis(PATIENCE_MILLIS))
                .until(() -> barriers.waiting() == READERS);
        written.release();
        first.join();
        await().atMost(Duration.ofMillis(PATIENCE_MILLIS)).until(() -> sent.get() == 2);
        assertThat(others).noneMatch(CompletableFuture::isDone);
        written.release();
        others.forEach(CompletableFuture::join);
        assertThat(sent).hasValue(2);
    }

    @Test
    void oneThatFailsAnswersNobody() {
        Barriers failing =
                new Barriers(() -> {
                    if (sent.incrementAndGet() == 1) {
                        throw new LogUnavailableException("no majority");
                    }
                });
        assertThatThrownBy(() -> failing.pass(PATIENCE_MILLIS)).hasMessage("no majority");
        failing.pass(PATIENCE_MILLIS);
        assertThat(sent).hasValue(2);
    }

    @Test
    void nobodyWaitsForEver() {
        CompletableFuture<Void> first = pass();
        await().atMost(Duration.ofMillis(PATIENCE_MILLIS)).until(() -> sent.get() == 1);
        assertThatThrownBy(() -> barriers.pass(1)).isInstanceOf(LogUnavailableException.class);
        written.release();
        first.join();
    }

    private CompletableFuture<Void> pass() {
        CompletableFuture<Void> passed = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    barriers.pass(PATIENCE_MILLIS);
                    passed.complete(null);
                });
        return passed;
    }
}
