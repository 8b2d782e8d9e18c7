package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Pumps one download from a transport's queue into a sink, and counts. */
final class Download {
    private final ChunkQueue queue;
    private final Runnable askForMore;
    private final int stallMillis;

    /**
     * Joins a transport's two ends.
     *
     * @param askForMore lets the transport send one more message
     */
    Download(ChunkQueue queue, Runnable askForMore, int stallMillis) {
        this.queue = queue;
        this.askForMore = askForMore;
        this.stallMillis = stallMillis;
    }

    /**
     * Takes bytes until the transport ends.
     *
     * @param expected how many bytes must come
     * @return whether all came; false if the sink stopped it
     */
    boolean pump(long expected, Source.Sink sink, Cancellation cancellation)
            throws SourceException, IOException, InterruptedException {
        long received = 0;
        for (ByteBuffer bytes = queue.next(stallMillis, cancellation);
                bytes != null;
                bytes = queue.next(stallMillis, cancellation)) {
            received += bytes.remaining();
            if (received > expected) {
                throw new SourceException(
                        SourceException.Kind.UNUSABLE, "it sends more than it was asked for");
            }
            if (!sink.accept(bytes)) {
                return false;
            }
            askForMore.run();
        }
        if (received < expected) {
            throw new SourceException(
                    SourceException.Kind.UNAVAILABLE,
                    "it ended after %d of %d bytes".formatted(received, expected));
        }
        return true;
    }
}
