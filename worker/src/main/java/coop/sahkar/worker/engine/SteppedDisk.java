package coop.sahkar.worker.engine;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.Executor;

/**
 * The disk behind a worker's boundary logs, with its files in memory: it writes when its caller
 * says so, and is full when its caller wants that. For simulations.
 */
public final class SteppedDisk {
    private final LogRoom room;
    private boolean full;
    private int written;
    private int read;

    /**
     * An empty disk.
     *
     * @param memoryBytes what logs keep in memory before they use it
     * @param pages what it has room for
     * @param writer runs what is given to it one after the other, some time later, in the thread of
     *     its engines
     */
    public SteppedDisk(long memoryBytes, int pages, int pageBytes, Executor writer) {
        long capacityBytes = (long) pages * pageBytes;
        this.room =
                LogRoom.over(
                        memoryBytes, new LogDisk(Pages::new, writer, pageBytes, capacityBytes));
    }

    /** What the logs of its worker share. */
    public LogRoom room() {
        return room;
    }

    /** Whether nothing more can be written. */
    public void full(boolean nowFull) {
        full = nowFull;
    }

    /** Pages written so far. */
    public int written() {
        return written;
    }

    /** Pages read back so far. */
    public int read() {
        return read;
    }

    private final class Pages implements PageFile {
        private byte[] bytes = new byte[0];

        @Override
        public void write(ByteBuffer from, long at) throws IOException {
            if (full) {
                throw new IOException("No space left on device");
            }
            written++;
            int end = (int) at + from.remaining();
            if (bytes.length < end) {
                bytes = Arrays.copyOf(bytes, end);
            }
            from.get(bytes, (int) at, from.remaining());
        }

        @Override
        public void read(ByteBuffer into, long at) throws IOException {
            if (at + into.remaining() > bytes.length) {
                throw new EOFException("the file ends at " + bytes.length);
            }
            read++;
            into.put(bytes, (int) at, into.remaining());
        }

        @Override
        public void close() {
            bytes = new byte[0];
        }
    }
}
