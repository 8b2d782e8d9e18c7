package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A source in memory that counts what it gives and misbehaves when told to. */
final class FakeSource implements Source {
    private static final int STEP_BYTES = 1000;

    final AtomicLong given = new AtomicLong();
    final AtomicInteger reads = new AtomicInteger();
    final AtomicInteger atOnce = new AtomicInteger();
    final AtomicInteger mostAtOnce = new AtomicInteger();
    final Set<String> lacking = ConcurrentHashMap.newKeySet();
    volatile boolean lies;
    volatile boolean down;

    /** Breaks each read after so many bytes. */
    volatile long breaksAfter = Long.MAX_VALUE;

    /** Called once the whole source has given so many bytes. */
    volatile long tripAt = Long.MAX_VALUE;

    volatile Runnable onTrip = () -> {};
    private final String address;
    private final byte[] file;

    FakeSource(String address, byte[] file) {
        this.address = address;
        this.file = file;
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public void read(String modelId, Piece piece, long from, Sink sink, Cancellation cancellation)
            throws SourceException, IOException {
        reads.incrementAndGet();
        mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
        try {
            if (down) {
                throw new SourceException(SourceException.Kind.UNAVAILABLE, "it is down");
            }
            if (lacking.contains(piece.name())) {
                throw new SourceException(SourceException.Kind.LACKS_PIECE, "it lacks it");
            }
            give(piece, from, sink, cancellation);
        } finally {
            atOnce.decrementAndGet();
        }
    }

    private void give(Piece piece, long from, Sink sink, Cancellation cancellation)
            throws SourceException, IOException {
        for (long at = from; at < piece.bytes(); at += STEP_BYTES) {
            cancellation.check();
            if (at - from >= breaksAfter) {
                throw new SourceException(SourceException.Kind.UNAVAILABLE, "it broke off");
            }
            int count = (int) Math.min(STEP_BYTES, piece.bytes() - at);
            byte[] part = new byte[count];
            System.arraycopy(file, (int) (piece.offset() + at), part, 0, count);
            if (lies) {
                part[0] ^= 1;
            }
            if (given.addAndGet(count) >= tripAt) {
                onTrip.run();
            }
            if (!sink.accept(ByteBuffer.wrap(part))) {
                return;
            }
        }
    }

    @Override
    public void close() {}
}
