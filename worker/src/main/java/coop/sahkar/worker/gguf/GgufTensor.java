package coop.sahkar.worker.gguf;

import java.util.List;

/**
 * A tensor in a GGUF file.
 *
 * @param name unique in the file, at most {@link #MAX_NAME_BYTES} bytes
 * @param type how the elements are stored
 * @param shape elements in each of up to four dimensions, the fastest first
 * @param offset where the data begins, counted from the beginning of the file
 * @param bytes how long the data is
 */
public record GgufTensor(String name, TensorType type, List<Long> shape, long offset, long bytes) {
    /** The longest name ggml takes. */
    public static final int MAX_NAME_BYTES = 63;

    /** The most dimensions ggml has. */
    public static final int MAX_DIMENSIONS = 4;

    public GgufTensor {
        shape = List.copyOf(shape);
    }
}
