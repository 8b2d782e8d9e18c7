package coop.sahkar.worker.gguf.synthetic;

import coop.sahkar.worker.gguf.GgufWriter;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The data of random tensors. A tensor is made in cells, each from its own seed, so that any part
 * of it can be had without what comes before.
 */
final class RandomWeights implements GgufWriter.TensorData {
    private static final int CELL_BYTES = 1 << 15;
    private static final long TENSOR_STRIDE = 0x9E37_79B9_7F4A_7C15L;
    private static final long CELL_STRIDE = 0xD1B5_4A32_D192_ED03L;

    private final List<RandomTensor> tensors;
    private final long seed;

    RandomWeights(List<RandomTensor> tensors, long seed) {
        this.tensors = tensors;
        this.seed = seed;
    }

    @Override
    public boolean fill(int index, long offset, ByteBuffer destination) {
        RandomTensor tensor = tensors.get(index);
        int blockBytes = tensor.type().blockBytes();
        int cellBytes = Math.max(1, CELL_BYTES / blockBytes) * blockBytes;
        byte[] cell = new byte[cellBytes];
        RandomBlocks blocks = new RandomBlocks(tensor);
        long at = offset;
        while (destination.hasRemaining()) {
            long number = at / cellBytes;
            long cellSeed = seed + (index + 1) * TENSOR_STRIDE + number * CELL_STRIDE;
            blocks.fill(cell, new Noise(cellSeed));
            int start = (int) (at % cellBytes);
            int part = Math.min(destination.remaining(), cellBytes - start);
            destination.put(cell, start, part);
            at += part;
        }
        return true;
    }
}
