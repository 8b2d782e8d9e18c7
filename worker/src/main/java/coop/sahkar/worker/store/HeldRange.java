package coop.sahkar.worker.store;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** A byte range of an open file, and what has to be done when it is no longer read. */
record HeldRange(FileChannel channel, long position, long bytes, Runnable whenClosed)
        implements TensorCatalog.Held {
    @Override
    public void read(long offset, ByteBuffer destination) throws IOException {
        if (offset < 0 || offset > bytes - destination.remaining()) {
            throw new IllegalArgumentException("outside the piece");
        }
        long at = position + offset;
        while (destination.hasRemaining()) {
            int count = channel.read(destination, at);
            if (count < 0) {
                throw new EOFException("the file became shorter while it was read");
            }
            at += count;
        }
    }

    @Override
    public void close() {
        whenClosed.run();
    }
}
