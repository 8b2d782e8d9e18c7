package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.client.TextPiece;
import coop.sahkar.client.TokenStream;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Asks the same again and again, and notices any word that is not as it was, and every pause. */
final class EagerReader implements AutoCloseable {
    private final TestPool pool;
    private final String expected;
    private final AtomicInteger answers = new AtomicInteger();
    private final Thread thread;
    private volatile boolean enough;
    private final AtomicLong longestPauseNanos = new AtomicLong();
    private volatile @Nullable Throwable fault;

    private EagerReader(TestPool pool, String expected) {
        this.pool = pool;
        this.expected = expected;
        this.thread = Thread.ofVirtual().unstarted(this::read);
    }

    /** Begins to ask for a story. */
    static EagerReader start(TestPool pool, String expected) {
        EagerReader reader = new EagerReader(pool, expected);
        reader.thread.start();
        return reader;
    }

    /** Answers read to their end; fails if one was not as it should be. */
    int answers() {
        Throwable why = fault;
        if (why != null) {
            throw new AssertionError("a reader noticed: " + why, why);
        }
        return answers.get();
    }

    /** The longest wait for the next piece of an answer since the last call. */
    double pauseMillis() {
        return longestPauseNanos.getAndSet(0) / 1e6;
    }

    private void read() {
        try {
            while (!enough) {
                StringBuilder text = new StringBuilder();
                try (TokenStream stream = pool.client().stream(Questions.steady(pool.model()))) {
                    long last = 0;
                    while (stream.hasNext()) {
                        TextPiece piece = stream.next();
                        long now = System.nanoTime();
                        if (last != 0) {
                            longestPauseNanos.accumulateAndGet(now - last, Math::max);
                        }
                        last = now;
                        text.append(piece.text());
                    }
                }
                assertThat(text.toString()).isEqualTo(expected);
                answers.incrementAndGet();
            }
        } catch (Exception | AssertionError e) {
            fault = e;
        }
    }

    /** Lets it read to the end. */
    @Override
    public void close() {
        enough = true;
        await().atMost(TestPool.SOON).until(() -> !thread.isAlive());
        int _ = answers();
    }
}
