package coop.sahkar.worker.gguf;

import java.util.List;

/**
 * A tensor of a published model.
 *
 * @param name as in the published file
 * @param type how the elements are stored
 * @param shape elements in each of up to four dimensions, the fastest first
 * @param offset where the data begins, counted from the beginning of the published file
 * @param bytes how long the data is
 * @param sha256 of the data, as 64 lower-case hexadecimal digits
 */
public record TensorEntry(
        String name, TensorType type, List<Long> shape, long offset, long bytes, String sha256) {
    public TensorEntry {
        shape = List.copyOf(shape);
    }
}
