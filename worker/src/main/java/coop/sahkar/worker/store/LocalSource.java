package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** What this machine holds already, for instance in a shard of a neighbouring span. */
final class LocalSource implements Source {
    private static final int PART_BYTES = 1 << 20;

    private final TensorCatalog catalog;

    LocalSource(TensorCatalog catalog) {
        this.catalog = catalog;
    }

    @Override
    public String address() {
        return "";
    }

    @Override
    public boolean local() {
        return true;
    }

    @Override
    public void read(String modelId, Piece piece, long from, Sink sink, Cancellation cancellation)
            throws SourceException, IOException {
        Optional<TensorCatalog.Held> found = catalog.find(modelId, piece.name());
        if (found.isEmpty()) {
            throw lacks("it is not held here");
        }
        try (TensorCatalog.Held held = found.get()) {
            if (held.bytes() != piece.bytes()) {
                throw lacks("it is held in another length");
            }
            copy(held, from, sink, cancellation);
        }
    }

    private static void copy(
            TensorCatalog.Held held, long from, Sink sink, Cancellation cancellation)
            throws SourceException, IOException {
        ByteBuffer part = ByteBuffer.allocate(PART_BYTES);
        for (long at = from; at < held.bytes(); at += part.limit()) {
            cancellation.check();
            part.clear().limit((int) Math.min(PART_BYTES, held.bytes() - at));
            try {
                held.read(at, part);
            } catch (IOException e) {
                throw new SourceException(
                        SourceException.Kind.UNUSABLE, "it cannot be read: " + e.getMessage(), e);
            }
            if (!sink.accept(part.flip())) {
                return;
            }
        }
    }

    private static SourceException lacks(String why) {
        return new SourceException(SourceException.Kind.LACKS_PIECE, why);
    }

    @Override
    public void close() {}
}
