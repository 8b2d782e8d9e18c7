package coop.sahkar.worker.store;

import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hands the bytes of one download from the transport's thread to the one that writes them. The
 * consumer asks the transport for one more message after each it took, so the queue never holds
 * more than {@link #CAPACITY}.
 */
final class ChunkQueue {
    /** Messages in flight. */
    static final int CAPACITY = 4;

    private static final int LOOK_UP_MILLIS = 100;

    private sealed interface Item {}

    private record Bytes(ByteBuffer bytes) implements Item {}

    private record End(@Nullable SourceException failure) implements Item {}

    private final BlockingQueue<Item> items = new ArrayBlockingQueue<>(CAPACITY + 2);

    /** From the transport: the next bytes. */
    void bytes(ByteBuffer bytes) {
        put(new Bytes(bytes));
    }

    /** From the transport: nothing follows. */
    void end() {
        put(new End(null));
    }

    /** From the transport: it broke. */
    void failed(SourceException failure) {
        put(new End(failure));
    }

    private void put(Item item) {
        if (!items.offer(item) && item instanceof Bytes) {
            items.clear();
            items.add(
                    new End(
                            new SourceException(
                                    SourceException.Kind.UNUSABLE,
                                    "it sends more than it was asked for")));
        }
    }

    /**
     * The next bytes, or null at the end.
     *
     * @throws SourceException if the transport broke, or was silent for {@code stallMillis}
     */
    @Nullable ByteBuffer next(int stallMillis, Cancellation cancellation)
            throws SourceException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(stallMillis);
        while (System.nanoTime() - deadline < 0) {
            cancellation.check();
            Item item = items.poll(LOOK_UP_MILLIS, TimeUnit.MILLISECONDS);
            switch (item) {
                case null -> {}
                case Bytes(ByteBuffer bytes) -> {
                    return bytes;
                }
                case End(SourceException failure) -> {
                    if (failure != null) {
                        throw failure;
                    }
                    return null;
                }
            }
        }
        throw new SourceException(
                SourceException.Kind.UNAVAILABLE,
                "it sent no byte for %d seconds".formatted(Math.max(1, stallMillis / 1000)));
    }
}
