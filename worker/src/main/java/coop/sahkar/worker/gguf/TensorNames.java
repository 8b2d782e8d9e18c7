package coop.sahkar.worker.gguf;

import java.util.OptionalInt;
import java.util.Set;

/** How tensors are called in a GGUF of a language model. */
final class TensorNames {
    static final String EMBEDDING = "token_embd.weight";
    static final String OUTPUT = "output.weight";
    static final String OUTPUT_NORM = "output_norm.weight";

    /** Small tensors that belong to no block and that every shard carries. */
    static final Set<String> SHARED =
            Set.of(
                    OUTPUT_NORM,
                    "output_norm.bias",
                    "rope_freqs.weight",
                    "rope_factors_long.weight",
                    "rope_factors_short.weight");

    private static final String BLOCK = "blk.";
    private static final int MAX_BLOCK_DIGITS = 6;

    private TensorNames() {}

    /** The block a tensor belongs to; empty if its name does not say one. */
    static OptionalInt block(String name) {
        int end = name.indexOf('.', BLOCK.length());
        if (!name.startsWith(BLOCK) || end < 0) {
            return OptionalInt.empty();
        }
        String digits = name.substring(BLOCK.length(), end);
        boolean number =
                !digits.isEmpty()
                        && digits.length() <= MAX_BLOCK_DIGITS
                        && digits.chars().allMatch(c -> c >= '0' && c <= '9')
                        && (digits.length() == 1 || digits.charAt(0) != '0');
        return number ? OptionalInt.of(Integer.parseInt(digits)) : OptionalInt.empty();
    }

    /** The name without its block, such as {@code attn_q.weight}. */
    static String inBlock(String name) {
        return name.substring(name.indexOf('.', BLOCK.length()) + 1);
    }

    static String inBlock(int block, String suffix) {
        return BLOCK + block + "." + suffix;
    }

    /** Whether a tensor without a block has a place in a shard. */
    static boolean known(String name) {
        return name.equals(EMBEDDING) || name.equals(OUTPUT) || SHARED.contains(name);
    }
}
