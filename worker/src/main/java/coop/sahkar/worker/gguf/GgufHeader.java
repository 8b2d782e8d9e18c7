package coop.sahkar.worker.gguf;

import java.util.List;

/**
 * Everything of a GGUF file but its tensors' data.
 *
 * @param version 2 or 3
 * @param alignment what offsets are multiples of, in bytes; a power of two
 * @param metadata the key-value pairs
 * @param metadataOffset where they begin, from the beginning of the file
 * @param tensors in the file's order, with absolute offsets
 */
record GgufHeader(
        int version,
        int alignment,
        Metadata metadata,
        long metadataOffset,
        List<GgufTensor> tensors) {
    GgufHeader {
        tensors = List.copyOf(tensors);
    }
}
