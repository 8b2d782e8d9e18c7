package coop.sahkar.worker.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Where the data of a model's tensors comes from: a file, a store, another worker, the web. */
@FunctionalInterface
public interface TensorSource {
    /**
     * Fills {@code destination} to its limit with a part of a tensor. Blocks until it is full.
     *
     * @param offset where the part begins, counted from the beginning of the tensor's data
     * @throws IOException if the bytes cannot be had
     */
    void read(TensorEntry tensor, long offset, ByteBuffer destination) throws IOException;

    /** Reads from the published file itself. */
    static TensorSource of(GgufFile file) {
        return (tensor, offset, destination) -> {
            GgufTensor found = file.tensor(tensor.name()).orElse(null);
            if (found == null || found.bytes() != tensor.bytes()) {
                throw new GgufException(
                        "%s has no tensor %s of %d bytes; it is not the file of this model"
                                .formatted(file.path(), tensor.name(), tensor.bytes()));
            }
            destination.put(
                    file.data(found).asSlice(offset, destination.remaining()).asByteBuffer());
        };
    }
}
