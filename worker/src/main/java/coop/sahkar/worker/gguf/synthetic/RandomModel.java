package coop.sahkar.worker.gguf.synthetic;

import coop.sahkar.worker.gguf.Architecture;
import coop.sahkar.worker.gguf.GgufLayout;
import coop.sahkar.worker.gguf.GgufWriter;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * The shape of a model with random weights. The same shape and seed give the same file. Its weights
 * are scaled so that hidden states and logits stay of the order of 1; what it says means nothing.
 *
 * @param blocks how many
 * @param width floats of one hidden state
 * @param heads query heads of each block
 * @param kvHeads key and value heads of each block; divides {@code heads}
 * @param headLength floats of one head
 * @param feedForward floats between the two halves of a feed-forward part
 * @param vocabulary tokens; at least {@link RandomVocabulary#LEAST}
 * @param context positions it claims to be trained for
 * @param experts experts of each block; 0 for a dense model
 * @param expertsUsed experts a token goes through
 * @param type how matrices are stored; a matrix whose rows do not fit takes Q8_0 or F16
 * @param tied whether the embedding is the output matrix too
 * @param seed of the weights
 */
public record RandomModel(
        Architecture architecture,
        int blocks,
        int width,
        int heads,
        int kvHeads,
        int headLength,
        int feedForward,
        int vocabulary,
        int context,
        int experts,
        int expertsUsed,
        TensorType type,
        boolean tied,
        long seed) {
    /** The types random weights can be made in. */
    public static final Set<TensorType> TYPES =
            Set.of(
                    TensorType.F32,
                    TensorType.F16,
                    TensorType.BF16,
                    TensorType.Q8_0,
                    TensorType.Q4_0,
                    TensorType.Q4_K,
                    TensorType.Q6_K);

    private static final int TEST_WIDTH = 256;
    private static final int TEST_HEADS = 8;
    private static final int TEST_VOCABULARY = 512;
    private static final int TEST_EXPERTS = 4;

    public RandomModel {
        require(TYPES.contains(type), "random weights are made in " + TYPES + ", not in " + type);
        require(
                blocks > 0 && width > 0 && headLength > 0 && feedForward > 0 && context > 0,
                "a size is not positive");
        require(kvHeads > 0 && heads % kvHeads == 0, "heads must be a multiple of kvHeads");
        require(
                vocabulary >= RandomVocabulary.LEAST,
                "the vocabulary needs at least " + RandomVocabulary.LEAST + " tokens");
        require(
                experts >= 0 && expertsUsed >= 0 && expertsUsed <= experts,
                "no more experts can be used than there are");
    }

    /** The presets of {@link #preset}, by name. */
    public static List<String> presets() {
        return List.of("160M", "1.1B");
    }

    /**
     * A llama of a well-known shape: {@code 160M} (12 blocks, width 768) or {@code 1.1B} (22
     * blocks, width 2048, grouped heads).
     *
     * @throws IllegalArgumentException if there is no preset of that name
     */
    public static RandomModel preset(String name, TensorType type, long seed) {
        return switch (name) {
            case "160M" ->
                    new RandomModel(
                            Architecture.LLAMA,
                            12,
                            768,
                            12,
                            12,
                            64,
                            3072,
                            32_000,
                            2048,
                            0,
                            0,
                            type,
                            false,
                            seed);
            case "1.1B" ->
                    new RandomModel(
                            Architecture.LLAMA,
                            22,
                            2048,
                            32,
                            4,
                            64,
                            5632,
                            32_000,
                            2048,
                            0,
                            0,
                            type,
                            false,
                            seed);
            default ->
                    throw new IllegalArgumentException(
                            "no shape is called %s; there are %s".formatted(name, presets()));
        };
    }

    /**
     * A model of a few megabytes with every feature of its architecture; exact comparisons use it.
     */
    public static RandomModel small(Architecture architecture, TensorType type, long seed) {
        boolean moe =
                architecture == Architecture.QWEN2MOE || architecture == Architecture.QWEN3MOE;
        boolean grouped = architecture != Architecture.OLMO2;
        return new RandomModel(
                architecture,
                Math.max(6, 2 * architecture.grain()),
                TEST_WIDTH,
                TEST_HEADS,
                grouped ? 2 : TEST_HEADS,
                TEST_WIDTH / TEST_HEADS,
                2 * TEST_WIDTH,
                TEST_VOCABULARY,
                TEST_VOCABULARY,
                moe ? TEST_EXPERTS : 0,
                moe ? 2 : 0,
                type,
                architecture == Architecture.GEMMA3,
                seed);
    }

    public RandomModel withBlocks(int newBlocks) {
        return copy(newBlocks, vocabulary, experts, expertsUsed, tied);
    }

    public RandomModel withVocabulary(int newVocabulary) {
        return copy(blocks, newVocabulary, experts, expertsUsed, tied);
    }

    public RandomModel withExperts(int newExperts, int newExpertsUsed) {
        return copy(blocks, vocabulary, newExperts, newExpertsUsed, tied);
    }

    public RandomModel withTied(boolean newTied) {
        return copy(blocks, vocabulary, experts, expertsUsed, newTied);
    }

    /** Writes the model, through one small buffer. */
    public void write(Path target, Progress progress) throws IOException {
        List<RandomTensor> tensors = RandomArchitecture.tensors(this);
        GgufLayout layout =
                GgufLayout.of(
                        RandomArchitecture.metadata(this),
                        tensors.stream().map(RandomTensor::slot).toList());
        GgufWriter.write(layout, new RandomWeights(tensors, seed), target, progress);
    }

    private RandomModel copy(
            int newBlocks, int newVocabulary, int newExperts, int newExpertsUsed, boolean newTied) {
        return new RandomModel(
                architecture,
                newBlocks,
                width,
                heads,
                kvHeads,
                headLength,
                feedForward,
                newVocabulary,
                context,
                newExperts,
                newExpertsUsed,
                type,
                newTied,
                seed);
    }

    private static void require(boolean right, String problem) {
        if (!right) {
            throw new IllegalArgumentException(problem);
        }
    }
}
