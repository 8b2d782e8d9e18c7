package coop.sahkar.worker.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Writes a GGUF file from its layout: the header, then each tensor's data in order, through one
 * buffer outside the heap. The file stands under its own name only once it is whole.
 */
public final class GgufWriter {
    private static final int BUFFER_BYTES = 1 << 20;
    private static final String PARTIAL_SUFFIX = ".partial";

    private final GgufLayout layout;
    private final Progress progress;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private long done;

    /** Gives the data of the tensors that are written. */
    @FunctionalInterface
    public interface TensorData {
        /**
         * Fills {@code destination} to its limit.
         *
         * @param index of the tensor in the layout
         * @param offset where the part begins in the tensor's data; parts come in order
         * @return {@code false}, leaving {@code destination} alone, if the whole tensor is zeros
         */
        boolean fill(int index, long offset, ByteBuffer destination) throws IOException;

        /** Called once a tensor's last part was filled; may refuse what was read. */
        default void finished(int index) throws IOException {}
    }

    private GgufWriter(GgufLayout layout, Progress progress) {
        this.layout = layout;
        this.progress = progress;
    }

    /**
     * Writes the file and forces it to the disk. Stretches of zeros are left as holes where the
     * file system has them.
     *
     * @throws IOException if the data cannot be had or written; nothing stands under {@code target}
     *     then that was not there before
     */
    public static void write(GgufLayout layout, TensorData data, Path target, Progress progress)
            throws IOException {
        Path partial = target.resolveSibling(target.getFileName() + PARTIAL_SUFFIX);
        try {
            try (FileChannel channel =
                    FileChannel.open(
                            partial,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE)) {
                new GgufWriter(layout, progress).write(channel, data);
                channel.force(true);
            }
            move(partial, target);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    private static void move(Path partial, Path target) throws IOException {
        try {
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(partial, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private void write(FileChannel channel, TensorData data) throws IOException {
        writeFully(channel, ByteBuffer.wrap(layout.header()), 0);
        List<GgufTensor> tensors = layout.tensors();
        for (int i = 0; i < tensors.size(); i++) {
            copy(channel, data, i, tensors.get(i));
            data.finished(i);
        }
        if (channel.size() < layout.fileBytes()) {
            writeFully(channel, ByteBuffer.allocate(1), layout.fileBytes() - 1);
        }
    }

    private void copy(FileChannel channel, TensorData data, int index, GgufTensor tensor)
            throws IOException {
        for (long offset = 0; offset < tensor.bytes(); ) {
            int part = (int) Math.min(BUFFER_BYTES, tensor.bytes() - offset);
            buffer.clear().limit(part);
            if (!data.fill(index, offset, buffer)) {
                report(tensor.bytes() - offset);
                return;
            }
            if (buffer.hasRemaining()) {
                throw new IOException("the data of " + tensor.name() + " came short");
            }
            writeFully(channel, buffer.flip(), tensor.offset() + offset);
            offset += part;
            report(part);
        }
    }

    private void report(long bytes) {
        done += bytes;
        progress.at(done, layout.fileBytes());
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes, long position)
            throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }
}
