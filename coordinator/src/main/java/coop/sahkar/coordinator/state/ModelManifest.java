package coop.sahkar.coordinator.state;

import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.LlamaRelease;
import java.util.List;

/**
 * What a model consists of, as far as a coordinator must understand it.
 *
 * @param name what people call it: the part of the id before {@code @}
 * @param digest 64 hexadecimal digits: the part of the id after {@code @}
 * @param architecture GGUF's {@code general.architecture}
 * @param quantization what people call the quantization
 * @param blockCount transformer layers
 * @param width floats of one hidden state
 * @param vocabulary tokens
 * @param contextLength longest context it was trained for, in positions
 * @param grain spans begin at multiples of so many blocks, and have at least so many
 * @param oldestRelease first llama.cpp that loads it
 * @param fileBytes bytes of the published file
 * @param kvBytesPerPositionPerBlock KV bytes one position takes in one block
 * @param attentionHeads query heads of a block; 0 where that is not said
 * @param keyValueBytes bytes of the file's key-value section
 * @param tensors every tensor, in file order
 * @param encoded the manifest exactly as it was published
 */
public record ModelManifest(
        String name,
        String digest,
        String architecture,
        String quantization,
        int blockCount,
        int width,
        int vocabulary,
        int contextLength,
        int grain,
        LlamaRelease oldestRelease,
        long fileBytes,
        long kvBytesPerPositionPerBlock,
        int attentionHeads,
        long keyValueBytes,
        List<Tensor> tensors,
        Encoded encoded) {

    /**
     * One tensor of the file.
     *
     * @param name as in the file
     * @param type ggml's number of its type
     * @param shape elements along each dimension, fastest first
     * @param offset where its data begins in the file
     * @param bytes how long its data is
     * @param digestBytes length of its checksum; 32 in an honest manifest
     */
    public record Tensor(
            String name, int type, List<Long> shape, long offset, long bytes, int digestBytes) {
        public Tensor {
            shape = List.copyOf(shape);
        }
    }

    public ModelManifest {
        tensors = List.copyOf(tensors);
    }

    /** {@code name@digest}. */
    public String id() {
        return name + "@" + digest;
    }

    /** Where it may be cut. */
    public Cuts cuts() {
        return new Cuts(blockCount, grain);
    }
}
