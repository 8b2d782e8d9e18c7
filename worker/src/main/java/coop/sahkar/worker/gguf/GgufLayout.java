package coop.sahkar.worker.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A GGUF v3 file that is yet to be written: its header, byte for byte, and where each tensor goes.
 * The same metadata and tensors give the same bytes.
 */
public final class GgufLayout {
    private static final int VERSION = 3;

    private final byte[] header;
    private final List<GgufTensor> tensors;
    private final long fileBytes;

    /**
     * A tensor to be written.
     *
     * @param shape elements in each dimension, the fastest first; must fit {@code type}
     */
    public record Slot(String name, TensorType type, List<Long> shape) {
        public Slot {
            shape = List.copyOf(shape);
        }
    }

    private GgufLayout(byte[] header, List<GgufTensor> tensors, long fileBytes) {
        this.header = header;
        this.tensors = List.copyOf(tensors);
        this.fileBytes = fileBytes;
    }

    /**
     * Lays the tensors out in the given order, aligned as {@code general.alignment} says.
     *
     * @throws ArithmeticException if a shape does not fit its type
     */
    public static GgufLayout of(Metadata metadata, List<Slot> slots) {
        int alignment =
                (int) metadata.whole(GgufReader.ALIGNMENT_KEY).orElse(GgufReader.DEFAULT_ALIGNMENT);
        List<GgufTensor> relative = new ArrayList<>();
        long end = 0;
        for (Slot slot : slots) {
            long bytes = slot.type().bytes(slot.shape());
            relative.add(new GgufTensor(slot.name(), slot.type(), slot.shape(), end, bytes));
            end = Math.addExact(end, GgufReader.align(bytes, alignment));
        }
        byte[] header = header(metadata, relative, alignment);
        List<GgufTensor> placed = new ArrayList<>();
        for (GgufTensor tensor : relative) {
            placed.add(
                    new GgufTensor(
                            tensor.name(),
                            tensor.type(),
                            tensor.shape(),
                            header.length + tensor.offset(),
                            tensor.bytes()));
        }
        return new GgufLayout(header, placed, header.length + end);
    }

    /** The bytes before the first tensor. */
    public byte[] header() {
        return header.clone();
    }

    /** The tensors in the order of the file, with absolute offsets. */
    public List<GgufTensor> tensors() {
        return tensors;
    }

    /** How long the whole file will be. */
    public long fileBytes() {
        return fileBytes;
    }

    private static byte[] header(Metadata metadata, List<GgufTensor> tensors, int alignment) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        write(bytes, GgufReader.MAGIC, Integer.BYTES);
        write(bytes, VERSION, Integer.BYTES);
        write(bytes, tensors.size(), Long.BYTES);
        write(bytes, metadata.keys().size(), Long.BYTES);
        bytes.writeBytes(metadata.encodedShared());
        for (GgufTensor tensor : tensors) {
            byte[] name = tensor.name().getBytes(StandardCharsets.UTF_8);
            write(bytes, name.length, Long.BYTES);
            bytes.writeBytes(name);
            write(bytes, tensor.shape().size(), Integer.BYTES);
            tensor.shape().forEach(length -> write(bytes, length, Long.BYTES));
            write(bytes, tensor.type().id(), Integer.BYTES);
            write(bytes, tensor.offset(), Long.BYTES);
        }
        return Arrays.copyOf(bytes.toByteArray(), (int) GgufReader.align(bytes.size(), alignment));
    }

    private static void write(ByteArrayOutputStream bytes, long value, int count) {
        byte[] all = new byte[Long.BYTES];
        ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
        bytes.write(all, 0, count);
    }
}
