package coop.sahkar.worker.gguf;

import coop.sahkar.proto.Limits;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Reads a GGUF's header. Every count, length, offset and shape is checked against the bytes that
 * are really there before anything is allocated for it.
 */
final class GgufReader {
    /** "GGUF" as a little-endian number. */
    static final int MAGIC = 0x46554747;

    static final int DEFAULT_ALIGNMENT = 32;

    /** Larger than any page; a file that claims more is damaged. */
    static final int MAX_ALIGNMENT = 1 << 20;

    static final String ALIGNMENT_KEY = "general.alignment";

    private static final int LEAST_PAIR_BYTES = 13;
    private static final int LEAST_TENSOR_BYTES = 32;

    private final GgufCursor cursor;

    private GgufReader(GgufCursor cursor) {
        this.cursor = cursor;
    }

    /**
     * @param file what error messages should call it
     */
    static GgufHeader read(MemorySegment mapped, String file) throws GgufException {
        return new GgufReader(new GgufCursor(mapped, file)).header();
    }

    private GgufHeader header() throws GgufException {
        int version = version();
        long tensorCount = cursor.count(LEAST_TENSOR_BYTES, "tensors");
        long pairCount = cursor.count(LEAST_PAIR_BYTES, "metadata keys");
        if (tensorCount > Limits.MAX_TENSORS) {
            throw cursor.refuse(
                    "it claims %d tensors; at most %d are taken"
                            .formatted(tensorCount, Limits.MAX_TENSORS));
        }
        long metadataOffset = cursor.position();
        Metadata metadata = MetadataScan.read(cursor, pairCount);
        int alignment = alignment(metadata);
        List<GgufTensor> tensors = tensors((int) tensorCount);
        long dataStart = align(cursor.position(), alignment);
        return new GgufHeader(
                version,
                alignment,
                metadata,
                metadataOffset,
                placed(tensors, dataStart, alignment));
    }

    private int version() throws GgufException {
        if (cursor.u32("the magic number") != MAGIC) {
            throw cursor.refuse("it does not begin with the letters GGUF");
        }
        int version = cursor.u32("the version");
        if (version != 0 && (version & 0xFFFF) == 0) {
            throw cursor.refuse(
                    "it is big-endian, and only little-endian files are read; convert it with"
                            + " gguf_convert_endian.py of llama.cpp");
        }
        if (version != 2 && version != 3) {
            throw cursor.refuse(
                    "it is of version %s, and versions 2 and 3 are read"
                            .formatted(Integer.toUnsignedString(version)));
        }
        return version;
    }

    private int alignment(Metadata metadata) throws GgufException {
        if (metadata.type(ALIGNMENT_KEY).isEmpty()) {
            return DEFAULT_ALIGNMENT;
        }
        OptionalLong alignment = metadata.whole(ALIGNMENT_KEY);
        if (alignment.isEmpty()
                || alignment.getAsLong() < 1
                || alignment.getAsLong() > MAX_ALIGNMENT
                || Long.bitCount(alignment.getAsLong()) != 1) {
            throw cursor.refuse(
                    "%s must be a power of two up to %d".formatted(ALIGNMENT_KEY, MAX_ALIGNMENT));
        }
        return (int) alignment.getAsLong();
    }

    /** The tensors with offsets as in the file: relative to the start of the data. */
    private List<GgufTensor> tensors(int count) throws GgufException {
        List<GgufTensor> tensors = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < count; i++) {
            GgufTensor tensor = tensor();
            if (!names.add(tensor.name())) {
                throw cursor.refuse("the tensor " + tensor.name() + " stands in it twice");
            }
            tensors.add(tensor);
        }
        return tensors;
    }

    private GgufTensor tensor() throws GgufException {
        String name = cursor.text(GgufTensor.MAX_NAME_BYTES, "a tensor's name");
        String what = "the tensor " + name;
        int dimensions = cursor.u32("the dimensions of " + what);
        if (dimensions < 1 || dimensions > GgufTensor.MAX_DIMENSIONS) {
            throw cursor.refuse(
                    "%s has %s dimensions; 1 to %d are possible"
                            .formatted(
                                    what,
                                    Integer.toUnsignedString(dimensions),
                                    GgufTensor.MAX_DIMENSIONS));
        }
        List<Long> shape = new ArrayList<>();
        for (int i = 0; i < dimensions; i++) {
            shape.add(cursor.u64("the shape of " + what));
        }
        int id = cursor.u32("the type of " + what);
        TensorType type =
                TensorType.ofId(id)
                        .orElseThrow(() ->
                                cursor.refuse(
                                        "%s has the type %s, which is not known"
                                                .formatted(what, Integer.toUnsignedString(id))));
        long offset = cursor.u64("the offset of " + what);
        return new GgufTensor(name, type, shape, offset, bytes(what, type, shape));
    }

    private long bytes(String what, TensorType type, List<Long> shape) throws GgufException {
        try {
            return type.bytes(shape);
        } catch (ArithmeticException e) {
            throw cursor.refuse(
                    "%s has the impossible shape %s for %s: %s"
                            .formatted(what, shape, type, e.getMessage()));
        }
    }

    private List<GgufTensor> placed(List<GgufTensor> tensors, long dataStart, int alignment)
            throws GgufException {
        long room = cursor.position() + cursor.remaining() - dataStart;
        List<GgufTensor> placed = new ArrayList<>(tensors.size());
        for (GgufTensor tensor : tensors) {
            long offset = tensor.offset();
            if (offset < 0 || offset % alignment != 0) {
                throw cursor.refuse(
                        "the tensor %s lies at offset %s, which is no multiple of %d"
                                .formatted(
                                        tensor.name(), Long.toUnsignedString(offset), alignment));
            }
            if (offset > room || tensor.bytes() > room - offset) {
                throw cursor.refuse(
                        "the tensor %s (%d bytes at offset %d) goes past the end of the file"
                                .formatted(tensor.name(), tensor.bytes(), offset));
            }
            placed.add(
                    new GgufTensor(
                            tensor.name(),
                            tensor.type(),
                            tensor.shape(),
                            dataStart + offset,
                            tensor.bytes()));
        }
        refuseOverlap(placed);
        return placed;
    }

    private void refuseOverlap(List<GgufTensor> tensors) throws GgufException {
        List<GgufTensor> sorted = new ArrayList<>(tensors);
        sorted.sort(Comparator.comparingLong(GgufTensor::offset));
        for (int i = 1; i < sorted.size(); i++) {
            GgufTensor before = sorted.get(i - 1);
            GgufTensor after = sorted.get(i);
            if (before.offset() + before.bytes() > after.offset()) {
                throw cursor.refuse(
                        "the tensors %s and %s overlap".formatted(before.name(), after.name()));
            }
        }
    }

    static long align(long position, long alignment) {
        return (position + alignment - 1) / alignment * alignment;
    }
}
