package coop.sahkar.worker.gguf;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Why a model of an architecture that is not an {@link Architecture} cannot be cut by blocks. */
final class RefusedArchitectures {
    private static final Map<String, String> REASONS = new LinkedHashMap<>();

    static {
        reason(
                "it keeps a recurrent state, which cannot be taken back to an earlier position",
                Set.of(
                        "mamba",
                        "mamba2",
                        "rwkv6",
                        "rwkv6qwen2",
                        "rwkv7",
                        "arwkv7",
                        "jamba",
                        "falcon-h1",
                        "granitehybrid",
                        "lfm2",
                        "lfm2moe",
                        "nemotron_h",
                        "nemotron_h_moe",
                        "plamo2",
                        "qwen3next",
                        "qwen35",
                        "qwen35moe",
                        "kimi-linear"));
        reason(
                "it scales hidden states on entry, so every stage would scale them again",
                Set.of("gemma", "gemma2", "granite", "granitemoe", "minicpm", "minicpm3", "grok"));
        reason(
                "it adds position embeddings on entry, so every stage would add them again",
                Set.of("gpt2", "starcoder", "gptj"));
        reason(
                "it normalizes the embedding on entry, so every stage would do it again",
                Set.of("bloom", "bert", "nomic-bert", "jina-bert-v2"));
        reason(
                "llama.cpp chooses its position encoding by the number of blocks, which a shard"
                        + " changes",
                Set.of("baichuan"));
        reason(
                "which of its blocks use rotary positions or a window follows from their index in"
                        + " the whole model in ways a shard cannot say",
                Set.of("llama4", "cohere2", "gemma3n", "gemma4", "gpt-oss", "smollm3", "exaone4"));
        reason(
                "its first blocks differ from the others, which a shard cannot say yet",
                Set.of("deepseek", "deepseek2", "glm4moe", "bailingmoe", "dots1", "ernie4_5-moe"));
        reason("it has an encoder beside its decoder", Set.of("t5", "t5encoder"));
    }

    private RefusedArchitectures() {}

    private static void reason(String reason, Set<String> architectures) {
        architectures.forEach(architecture -> REASONS.put(architecture, reason));
    }

    /** A sentence about why {@code architecture} is not served. */
    static String why(String architecture) {
        String reason =
                REASONS.getOrDefault(
                        architecture,
                        "no chain of its shards has been shown to equal the whole model");
        return "models of the architecture %s are not served: %s".formatted(architecture, reason);
    }
}
