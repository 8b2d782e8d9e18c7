package coop.sahkar.worker.gguf.synthetic;

import coop.sahkar.worker.gguf.Architecture;
import coop.sahkar.worker.gguf.Metadata;
import coop.sahkar.worker.gguf.MetadataBuilder;
import coop.sahkar.worker.gguf.TensorType;
import java.util.ArrayList;
import java.util.List;

/** Which keys and tensors a model of each architecture has. */
final class RandomArchitecture {
    private static final float NORM_DEVIATION = 0.1f;
    private static final float BIAS_DEVIATION = 0.05f;
    private static final float OUTPUT_DEVIATION = 3;
    private static final float NORM_EPSILON = 1e-5f;
    private static final float ROPE_BASE = 10_000;
    private static final int SMALLEST_WINDOW = 16;

    private final RandomModel model;
    private final Architecture architecture;
    private final boolean biased;
    private final List<RandomTensor> tensors = new ArrayList<>();

    private RandomArchitecture(RandomModel model) {
        this.model = model;
        this.architecture = model.architecture();
        this.biased =
                architecture == Architecture.STABLELM || architecture == Architecture.STARCODER2;
    }

    static Metadata metadata(RandomModel model) {
        return new RandomArchitecture(model).keys();
    }

    static List<RandomTensor> tensors(RandomModel model) {
        RandomArchitecture one = new RandomArchitecture(model);
        one.all();
        return one.tensors;
    }

    private Metadata keys() {
        String prefix = architecture.id() + ".";
        MetadataBuilder keys =
                new MetadataBuilder()
                        .text("general.architecture", architecture.id())
                        .text("general.name", "random weights, seed " + model.seed())
                        .u32("general.quantization_version", 2)
                        .u32(prefix + "block_count", model.blocks())
                        .u32(prefix + "context_length", model.context())
                        .u32(prefix + "embedding_length", model.width())
                        .u32(prefix + "feed_forward_length", model.feedForward())
                        .u32(prefix + "attention.head_count", model.heads())
                        .u32(prefix + "attention.head_count_kv", model.kvHeads())
                        .u32(prefix + "attention.key_length", model.headLength())
                        .u32(prefix + "attention.value_length", model.headLength())
                        .f32(prefix + "attention.layer_norm_rms_epsilon", NORM_EPSILON)
                        .f32(prefix + "rope.freq_base", ROPE_BASE)
                        .u32(prefix + "rope.dimension_count", model.headLength())
                        .u32(prefix + "vocab_size", model.vocabulary());
        if (biased) {
            keys.f32(prefix + "attention.layer_norm_epsilon", NORM_EPSILON);
        }
        if (architecture == Architecture.STABLELM) {
            keys.flag(prefix + "use_parallel_residual", false);
        }
        if (architecture == Architecture.GEMMA3 || architecture == Architecture.PHI3) {
            int window = Math.max(SMALLEST_WINDOW, model.context() / 8);
            keys.u32(prefix + "attention.sliding_window", window);
        }
        if (model.experts() > 0) {
            keys.u32(prefix + "expert_count", model.experts())
                    .u32(prefix + "expert_used_count", model.expertsUsed());
        }
        if (ownExpertLength()) {
            keys.u32(prefix + "expert_feed_forward_length", expertFeedForward());
        }
        if (architecture == Architecture.QWEN2MOE) {
            keys.u32(prefix + "expert_shared_feed_forward_length", model.feedForward());
        }
        RandomVocabulary.put(keys, model.vocabulary());
        return keys.build();
    }

    private void all() {
        float row = keepingSize(model.width());
        matrix("token_embd.weight", model.tied() ? row : 1, model.width(), model.vocabulary());
        for (int block = 0; block < model.blocks(); block++) {
            String prefix = "blk." + block + ".";
            attention(prefix);
            if (model.experts() > 0) {
                experts(prefix);
            } else {
                feedForward(prefix);
            }
        }
        norm("output_norm", model.width());
        if (!model.tied()) {
            matrix("output.weight", OUTPUT_DEVIATION * row, model.width(), model.vocabulary());
        }
    }

    private void attention(String prefix) {
        int queries = model.heads() * model.headLength();
        int keys = model.kvHeads() * model.headLength();
        if (architecture != Architecture.OLMO2) {
            norm(prefix + "attn_norm", model.width());
        }
        if (architecture == Architecture.PHI3) {
            matrix(prefix + "attn_qkv.weight", model.width(), queries + 2L * keys);
        } else {
            projection(prefix + "attn_q", queries);
            projection(prefix + "attn_k", keys);
            projection(prefix + "attn_v", keys);
        }
        headNorms(prefix, queries, keys);
        matrix(prefix + "attn_output.weight", queries, model.width());
        if (architecture == Architecture.STARCODER2) {
            bias(prefix + "attn_output.bias", model.width());
        }
        if (postNorms()) {
            norm(prefix + "post_attention_norm", model.width());
        }
    }

    private void headNorms(String prefix, int queries, int keys) {
        switch (architecture) {
            case QWEN3, QWEN3MOE, GEMMA3 -> {
                norm(prefix + "attn_q_norm", model.headLength());
                norm(prefix + "attn_k_norm", model.headLength());
            }
            case OLMO2 -> {
                norm(prefix + "attn_q_norm", queries);
                norm(prefix + "attn_k_norm", keys);
            }
            case LLAMA, QWEN2, QWEN2MOE, PHI3, STABLELM, STARCODER2 -> {}
        }
    }

    private void projection(String name, int rows) {
        matrix(name + ".weight", model.width(), rows);
        switch (architecture) {
            case QWEN2, QWEN2MOE, STARCODER2 -> bias(name + ".bias", rows);
            case LLAMA, QWEN3, QWEN3MOE, PHI3, GEMMA3, OLMO2, STABLELM -> {}
        }
    }

    private void feedForward(String prefix) {
        int inner = model.feedForward();
        feedForwardNorm(prefix);
        boolean gated =
                architecture != Architecture.PHI3 && architecture != Architecture.STARCODER2;
        if (gated) {
            matrix(prefix + "ffn_gate.weight", model.width(), inner);
        }
        long ups = architecture == Architecture.PHI3 ? 2L * inner : inner;
        matrix(prefix + "ffn_up.weight", model.width(), ups);
        matrix(prefix + "ffn_down.weight", inner, model.width());
        if (architecture == Architecture.STARCODER2) {
            bias(prefix + "ffn_up.bias", inner);
            bias(prefix + "ffn_down.bias", model.width());
        }
        if (postNorms()) {
            norm(prefix + "post_ffw_norm", model.width());
        }
    }

    private void experts(String prefix) {
        long inner = expertFeedForward();
        long width = model.width();
        long count = model.experts();
        float row = keepingSize(width);
        feedForwardNorm(prefix);
        plain(prefix + "ffn_gate_inp.weight", 0, row, List.of(width, count));
        matrix(prefix + "ffn_gate_exps.weight", width, inner, count);
        matrix(prefix + "ffn_up_exps.weight", width, inner, count);
        matrix(prefix + "ffn_down_exps.weight", inner, width, count);
        if (architecture == Architecture.QWEN2MOE) {
            plain(prefix + "ffn_gate_inp_shexp.weight", 0, row, List.of(width));
            matrix(prefix + "ffn_gate_shexp.weight", width, model.feedForward());
            matrix(prefix + "ffn_up_shexp.weight", width, model.feedForward());
            matrix(prefix + "ffn_down_shexp.weight", model.feedForward(), width);
        }
    }

    private void feedForwardNorm(String prefix) {
        if (architecture != Architecture.OLMO2) {
            norm(prefix + "ffn_norm", model.width());
        }
    }

    private boolean postNorms() {
        return architecture == Architecture.OLMO2 || architecture == Architecture.GEMMA3;
    }

    private boolean ownExpertLength() {
        return architecture == Architecture.QWEN2MOE || architecture == Architecture.QWEN3MOE;
    }

    private int expertFeedForward() {
        return ownExpertLength() ? model.feedForward() / 2 : model.feedForward();
    }

    private void norm(String name, long length) {
        plain(name + ".weight", 1, NORM_DEVIATION, List.of(length));
        if (biased) {
            bias(name + ".bias", length);
        }
    }

    private void bias(String name, long length) {
        plain(name, 0, BIAS_DEVIATION, List.of(length));
    }

    private void plain(String name, float mean, float deviation, List<Long> shape) {
        tensors.add(new RandomTensor(name, TensorType.F32, shape, mean, deviation));
    }

    /** The deviation by which rows of that length keep the size of what goes through them. */
    private static float keepingSize(long rowLength) {
        return (float) (1 / Math.sqrt((double) rowLength));
    }

    private void matrix(String name, long rowLength, long... others) {
        matrix(name, keepingSize(rowLength), rowLength, others);
    }

    private void matrix(String name, float deviation, long rowLength, long... others) {
        List<Long> shape = new ArrayList<>(List.of(rowLength));
        for (long length : others) {
            shape.add(length);
        }
        tensors.add(new RandomTensor(name, fitting(rowLength), shape, 0, deviation));
    }

    private TensorType fitting(long rowLength) {
        if (model.type().fitsRows(rowLength)) {
            return model.type();
        }
        return TensorType.Q8_0.fitsRows(rowLength) ? TensorType.Q8_0 : TensorType.F16;
    }
}
