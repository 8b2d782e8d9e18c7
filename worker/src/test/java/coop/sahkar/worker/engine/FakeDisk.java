package coop.sahkar.worker.engine;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A disk in memory, which writes when the test lets it, and is full or loses what was written when
 * the test wants that.
 */
final class FakeDisk {
    /** What it has yet to do. */
    final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

    final List<FakeFile> files = new ArrayList<>();
    final int pages;
    final LogDisk disk;
    boolean full;
    int reads;

    FakeDisk(int pages, int pageBytes) {
        this.pages = pages;
        this.disk = new LogDisk(this::make, tasks::add, pageBytes, (long) pages * pageBytes);
    }

    /** Does the next thing. */
    void step() {
        tasks.removeFirst().run();
    }

    /** Does all that waits. */
    void settle() {
        while (!tasks.isEmpty()) {
            step();
        }
    }

    /** Bytes that the files take. */
    int size() {
        return files.stream().mapToInt(file -> file.bytes.length).sum();
    }

    private FakeFile make() {
        FakeFile file = new FakeFile();
        files.add(file);
        return file;
    }

    /** One file. */
    final class FakeFile implements PageFile {
        byte[] bytes = new byte[0];

        @Override
        public void write(ByteBuffer from, long at) throws IOException {
            if (full) {
                throw new IOException("No space left on device");
            }
            int end = (int) at + from.remaining();
            if (bytes.length < end) {
                bytes = Arrays.copyOf(bytes, end);
            }
            from.get(bytes, (int) at, from.remaining());
        }

        @Override
        public void read(ByteBuffer into, long at) throws IOException {
            reads++;
            if (at + into.remaining() > bytes.length) {
                throw new EOFException("the file ends at " + bytes.length);
            }
            into.put(bytes, (int) at, into.remaining());
        }

        @Override
        public void close() {
            files.remove(this);
        }
    }
}
