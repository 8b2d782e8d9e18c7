package coop.sahkar.worker.gguf;

import coop.sahkar.proto.LlamaRelease;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How a tensor's elements are stored, with the numbers ggml gives the types. Elements are packed in
 * blocks along the first dimension: a block of {@code blockElements} takes {@code blockBytes}.
 */
public enum TensorType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q8_1(9, 32, 36),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    Q8_K(15, 256, 292),
    IQ2_XXS(16, 256, 66),
    IQ2_XS(17, 256, 74),
    IQ3_XXS(18, 256, 98),
    IQ1_S(19, 256, 50),
    IQ4_NL(20, 32, 18),
    IQ3_S(21, 256, 110),
    IQ2_S(22, 256, 82),
    IQ4_XS(23, 256, 136),
    I8(24, 1, 1),
    I16(25, 1, 2),
    I32(26, 1, 4),
    I64(27, 1, 8),
    F64(28, 1, 8),
    IQ1_M(29, 256, 56),
    BF16(30, 1, 2),
    TQ1_0(34, 256, 54),
    TQ2_0(35, 256, 66),
    MXFP4(39, 32, 17),
    NVFP4(40, 64, 36),
    Q1_0(41, 128, 18);

    private static final List<TensorType> ALL = List.of(values());

    private final int id;
    private final int blockElements;
    private final int blockBytes;

    TensorType(int id, int blockElements, int blockBytes) {
        this.id = id;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /** The number that stands in the file. */
    public int id() {
        return id;
    }

    public int blockElements() {
        return blockElements;
    }

    public int blockBytes() {
        return blockBytes;
    }

    /** The type a file's number means, or empty for one that is unknown or was withdrawn. */
    public static Optional<TensorType> ofId(long id) {
        return ALL.stream().filter(type -> type.id == id).findFirst();
    }

    /** The type of that name, in either case. */
    public static Optional<TensorType> ofName(String name) {
        String wanted = name.toUpperCase(Locale.ROOT);
        return ALL.stream().filter(type -> type.name().equals(wanted)).findFirst();
    }

    /** The first llama.cpp known here that computes with it. */
    public LlamaRelease oldestRelease() {
        return switch (this) {
            case MXFP4, NVFP4, Q1_0 -> LlamaRelease.V0_5;
            case F32,
                    F16,
                    Q4_0,
                    Q4_1,
                    Q5_0,
                    Q5_1,
                    Q8_0,
                    Q8_1,
                    Q2_K,
                    Q3_K,
                    Q4_K,
                    Q5_K,
                    Q6_K,
                    Q8_K,
                    IQ2_XXS,
                    IQ2_XS,
                    IQ3_XXS,
                    IQ1_S,
                    IQ4_NL,
                    IQ3_S,
                    IQ2_S,
                    IQ4_XS,
                    I8,
                    I16,
                    I32,
                    I64,
                    F64,
                    IQ1_M,
                    BF16,
                    TQ1_0,
                    TQ2_0 ->
                    LlamaRelease.B4916;
        };
    }

    /** Whether rows of that many elements can be stored in this type. */
    public boolean fitsRows(long rowElements) {
        return rowElements > 0 && rowElements % blockElements == 0;
    }

    /**
     * Bytes a tensor of this type takes.
     *
     * @param shape elements in each dimension, the fastest first
     * @throws ArithmeticException if a dimension is not positive, the rows do not fit the blocks,
     *     or the size overflows
     */
    public long bytes(List<Long> shape) {
        if (shape.isEmpty() || !fitsRows(shape.getFirst())) {
            throw new ArithmeticException("rows do not divide into blocks of " + blockElements);
        }
        long bytes = Math.multiplyExact(shape.getFirst() / blockElements, (long) blockBytes);
        for (long rows : shape.subList(1, shape.size())) {
            if (rows <= 0) {
                throw new ArithmeticException("a dimension of " + rows);
            }
            bytes = Math.multiplyExact(bytes, rows);
        }
        return bytes;
    }
}
