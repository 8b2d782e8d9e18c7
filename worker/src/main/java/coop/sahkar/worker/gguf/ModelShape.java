package coop.sahkar.worker.gguf;

import coop.sahkar.proto.Limits;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a model's metadata says about its build.
 *
 * @param architecture one that can be cut by blocks
 * @param blockCount how many blocks it has
 * @param width floats of one hidden state
 * @param contextLength positions it was trained for
 * @param kvBytesPerPosition of each block: bytes one position takes in an F16 KV cache
 */
record ModelShape(
        Architecture architecture,
        int blockCount,
        int width,
        int contextLength,
        List<Long> kvBytesPerPosition) {
    private static final int F16_BYTES = 2;
    private static final int MAX_HEADS = 65_536;

    ModelShape {
        kvBytesPerPosition = List.copyOf(kvBytesPerPosition);
    }

    /**
     * @param what the file or model, as error messages should call it
     */
    static ModelShape of(Metadata metadata, String what) throws GgufException {
        return new Reading(metadata, what).shape();
    }

    // enum llama_pooling_type
    private static final long POOLING_NONE = 0;
    private static final long POOLING_LAST = 3;

    /** One reading of metadata; keeps what each refusal must name. */
    private static final class Reading {
        private final Metadata metadata;
        private final String what;
        private String prefix = "";

        Reading(Metadata metadata, String what) {
            this.metadata = metadata;
            this.what = what;
        }

        ModelShape shape() throws GgufException {
            Architecture architecture = architecture();
            prefix = architecture.id() + ".";
            int blocks = required("block_count", Limits.MAX_BLOCKS);
            int width = required("embedding_length", Limits.MAX_WIDTH);
            int context = required("context_length", Integer.MAX_VALUE);
            refuseWhatCutsWrong(architecture, blocks);
            refuseOtherPooling();
            return new ModelShape(architecture, blocks, width, context, kvBytes(blocks, width));
        }

        private Architecture architecture() throws GgufException {
            Optional<String> id = metadata.text("general.architecture");
            if (id.isEmpty()) {
                throw refuse("it has no general.architecture, so it is not a language model");
            }
            if (metadata.whole("split.count").orElse(1) > 1) {
                throw refuse(
                        "it is one part of a model in several files; join them with"
                                + " llama-gguf-split --merge first");
            }
            Optional<Architecture> found = Architecture.ofId(id.get());
            if (found.isEmpty()) {
                throw refuse(RefusedArchitectures.why(id.get()));
            }
            return found.get();
        }

        private void refuseWhatCutsWrong(Architecture architecture, int blocks)
                throws GgufException {
            if (architecture == Architecture.GEMMA3 && blocks == ShardMetadata.GEMMA3_27B_BLOCKS) {
                throw refuse(
                        "llama.cpp scales the attention of a gemma3 of 62 blocks by another"
                                + " number, which a shard of it would miss");
            }
            if (blocks < architecture.grain()) {
                throw refuse(
                        "a %s of fewer than %d blocks cannot be computed"
                                .formatted(architecture.id(), architecture.grain()));
            }
            if (architecture == Architecture.PHI3
                    && ShardMetadata.phi3Window(metadata, blocks).isEmpty()) {
                throw refuse("phi3.attention.sliding_window is missing");
            }
            if (architecture == Architecture.OLMO2
                    && metadata.type("olmo2.attention.sliding_window").isPresent()) {
                throw refuse("blocks of an olmo2 with a window differ by their index");
            }
            if (metadata.whole(prefix + "nextn_predict_layers").orElse(0) > 0) {
                throw refuse("it has blocks that predict several tokens, which are not served");
            }
        }

        /** Embeddings are the state of the last token here; a model made for another would lie. */
        private void refuseOtherPooling() throws GgufException {
            long pooling = metadata.whole(prefix + "pooling_type").orElse(POOLING_NONE);
            if (pooling != POOLING_NONE && pooling != POOLING_LAST) {
                throw refuse(
                        "it makes embeddings of all tokens together (%spooling_type is %d); only"
                                        .formatted(prefix, pooling)
                                + " that of the last token can be had here");
            }
        }

        private List<Long> kvBytes(int blocks, int width) throws GgufException {
            List<Long> heads = perBlock("attention.head_count", blocks, List.of());
            List<Long> kvHeads = perBlock("attention.head_count_kv", blocks, heads);
            long length = width / heads.getFirst();
            long key = metadata.whole(prefix + "attention.key_length").orElse(length);
            long value = metadata.whole(prefix + "attention.value_length").orElse(length);
            if (key < 0 || value < 0 || Math.max(key, value) > Limits.MAX_WIDTH) {
                throw refuse("the length of its attention's keys or values is absurd");
            }
            List<Long> bytes = new ArrayList<>();
            for (long count : kvHeads) {
                bytes.add(count * (key + value) * F16_BYTES);
            }
            return bytes;
        }

        /** The entry of each block under a key that holds one number for all or one for each. */
        private List<Long> perBlock(String key, int blocks, List<Long> otherwise)
                throws GgufException {
            OptionalLong one = metadata.whole(prefix + key);
            List<Long> values;
            if (metadata.type(prefix + key).isEmpty()) {
                values = otherwise;
            } else if (one.isPresent()) {
                values = Collections.nCopies(blocks, one.getAsLong());
            } else {
                values = metadata.wholes(prefix + key, blocks).orElse(List.of());
            }
            boolean absurd = values.stream().anyMatch(value -> value < 0 || value > MAX_HEADS);
            if (absurd || values.size() != blocks || values.getFirst() == 0) {
                throw refuse(
                        "%s is missing, absurd or not given for each of its %d blocks"
                                .formatted(prefix + key, blocks));
            }
            return values;
        }

        private int required(String key, int most) throws GgufException {
            long value = metadata.whole(prefix + key).orElse(-1);
            if (value < 1 || value > most) {
                throw refuse("%s must be there and from 1 to %d".formatted(prefix + key, most));
            }
            return (int) value;
        }

        private GgufException refuse(String problem) {
            return new GgufException("%s cannot be served: %s".formatted(what, problem));
        }
    }
}
