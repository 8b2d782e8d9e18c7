package coop.sahkar.coordinator.state;

import java.util.List;

/**
 * How many bytes a tensor of a ggml type takes. A coordinator needs no more of the types than this;
 * one it does not know is taken at its word and checked by the workers.
 */
final class TensorSize {
    /** No such tensor can exist. */
    static final long IMPOSSIBLE = -1;

    /** The type is newer than this table. */
    static final long UNKNOWN_TYPE = -2;

    /** ggml's number of the type, elements of one block, bytes of one block. */
    private static final int[][] TYPES = {
        {0, 1, 4}, {1, 1, 2}, {2, 32, 18}, {3, 32, 20}, {6, 32, 22}, {7, 32, 24},
        {8, 32, 34}, {9, 32, 36}, {10, 256, 84}, {11, 256, 110}, {12, 256, 144}, {13, 256, 176},
        {14, 256, 210}, {15, 256, 292}, {16, 256, 66}, {17, 256, 74}, {18, 256, 98}, {19, 256, 50},
        {20, 32, 18}, {21, 256, 110}, {22, 256, 82}, {23, 256, 136}, {24, 1, 1}, {25, 1, 2},
        {26, 1, 4}, {27, 1, 8}, {28, 1, 8}, {29, 256, 56}, {30, 1, 2}, {34, 256, 54},
        {35, 256, 66}, {39, 32, 17},
    };

    private TensorSize() {}

    static long bytes(int type, List<Long> shape) {
        long elements = 1;
        for (long length : shape) {
            if (length <= 0 || elements > Long.MAX_VALUE / 1024 / length) {
                return IMPOSSIBLE;
            }
            elements *= length;
        }
        for (int[] known : TYPES) {
            if (known[0] == type) {
                return shape.getFirst() % known[1] == 0
                        ? elements / known[1] * known[2]
                        : IMPOSSIBLE;
            }
        }
        return UNKNOWN_TYPE;
    }
}
