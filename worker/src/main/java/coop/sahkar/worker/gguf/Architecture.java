package coop.sahkar.worker.gguf;

import static coop.sahkar.proto.LlamaRelease.B4916;
import static coop.sahkar.proto.LlamaRelease.V0_5;

import coop.sahkar.proto.LlamaRelease;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The architectures whose blocks can be cut apart without changing a bit of the result, and what
 * their shards must respect. Each is here because a chain of its shards was compared with the whole
 * model; any other is refused by name, see {@link RefusedArchitectures}.
 */
public enum Architecture {
    LLAMA("llama", 1, B4916, Output.MAY_BE_TIED, Blocks.LLAMA),
    QWEN2("qwen2", 1, B4916, Output.MAY_BE_TIED, Blocks.LLAMA),
    QWEN2MOE("qwen2moe", 1, B4916, Output.OWN, Blocks.LLAMA),
    QWEN3("qwen3", 1, V0_5, Output.MAY_BE_TIED, Blocks.LLAMA),
    QWEN3MOE("qwen3moe", 1, V0_5, Output.OWN, Blocks.LLAMA),
    PHI3("phi3", 1, B4916, Output.MAY_BE_TIED, Blocks.LLAMA),
    /** Every sixth block attends to everything, the others to a window, counted from block 0. */
    GEMMA3("gemma3", 6, B4916, Output.MAY_BE_TIED, Blocks.LLAMA),
    OLMO2("olmo2", 1, B4916, Output.OWN, Blocks.POST_NORM),
    STABLELM("stablelm", 1, B4916, Output.OWN, Blocks.LLAMA),
    STARCODER2("starcoder2", 1, B4916, Output.MAY_BE_TIED, Blocks.LLAMA);

    /** Whether llama.cpp takes the embedding for the output matrix when there is none. */
    enum Output {
        MAY_BE_TIED,
        OWN
    }

    private final String id;
    private final int grain;
    private final LlamaRelease oldestRelease;
    private final Output output;
    private final Blocks blocks;

    Architecture(String id, int grain, LlamaRelease oldestRelease, Output output, Blocks blocks) {
        this.id = id;
        this.grain = grain;
        this.oldestRelease = oldestRelease;
        this.output = output;
        this.blocks = blocks;
    }

    /** Its name in {@code general.architecture}. */
    public String id() {
        return id;
    }

    /**
     * Spans begin at multiples of so many blocks and have at least so many. (A gemma3 shard without
     * a block that attends to everything would leave b4916 an attention mask that nothing uses and
     * nothing allocates, and it crashes.)
     */
    public int grain() {
        return grain;
    }

    /** The first llama.cpp known here that loads it. */
    public LlamaRelease oldestRelease() {
        return oldestRelease;
    }

    /** Whether every file of it, and so every shard, must have an {@code output.weight}. */
    boolean outputRequired() {
        return output == Output.OWN;
    }

    /** What every block must have: one tensor of each of these lists. */
    List<List<String>> blockTensors() {
        return blocks.tensors();
    }

    /** The supported architecture of that name. */
    public static Optional<Architecture> ofId(String id) {
        return Arrays.stream(values()).filter(one -> one.id.equals(id)).findFirst();
    }

    /** What the blocks of an architecture are made of. */
    private enum Blocks {
        LLAMA,
        POST_NORM;

        List<List<String>> tensors() {
            return switch (this) {
                case LLAMA ->
                        List.of(
                                List.of("attn_norm.weight"),
                                List.of("attn_q.weight", "attn_qkv.weight"),
                                List.of("attn_output.weight"),
                                List.of("ffn_down.weight", "ffn_down_exps.weight"));
                case POST_NORM ->
                        List.of(
                                List.of("attn_q.weight"),
                                List.of("attn_output.weight"),
                                List.of("post_attention_norm.weight"),
                                List.of("ffn_down.weight"),
                                List.of("post_ffw_norm.weight"));
            };
        }
    }
}
