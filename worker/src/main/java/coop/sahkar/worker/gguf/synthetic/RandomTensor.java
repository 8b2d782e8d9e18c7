package coop.sahkar.worker.gguf.synthetic;

import coop.sahkar.worker.gguf.GgufLayout;
import coop.sahkar.worker.gguf.TensorType;
import java.util.List;

/**
 * A tensor to be filled with normally distributed numbers.
 *
 * @param mean of the numbers
 * @param deviation of the numbers, their standard deviation
 */
record RandomTensor(String name, TensorType type, List<Long> shape, float mean, float deviation) {
    RandomTensor {
        shape = List.copyOf(shape);
    }

    GgufLayout.Slot slot() {
        return new GgufLayout.Slot(name, type, shape);
    }
}
