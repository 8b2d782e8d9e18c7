package coop.sahkar.worker.gguf;

import java.util.List;

/** One tensor of a shard. */
public sealed interface ShardPiece {
    /** Its name in the shard. */
    String name();

    /** How it is stored. */
    TensorType type();

    /** Elements in each dimension, the fastest first. */
    List<Long> shape();

    /** The data of a tensor of the model, perhaps under another name. */
    record Copy(TensorEntry source, String name) implements ShardPiece {
        @Override
        public TensorType type() {
            return source.type();
        }

        @Override
        public List<Long> shape() {
            return source.shape();
        }
    }

    /** Zeros, which the loader wants to see and nothing computes with. */
    record Zero(String name, TensorType type, List<Long> shape) implements ShardPiece {
        public Zero {
            shape = List.copyOf(shape);
        }
    }
}
