package coop.sahkar.deploy.simulate;

import coop.sahkar.worker.simulate.ArithmeticStage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What somebody asks, and what must come.
 *
 * @param modelId the model asked
 * @param seed of the random choice
 * @param prompt tokens; not to be changed
 * @param mostTokens most tokens of the answer
 * @param expected the answer that the whole model gives
 * @param mustSucceed whether nothing is wrong in the world that could excuse a failure
 */
@SuppressWarnings("ArrayRecordComponent") // made here, read by heads, never compared
record Question(
        String modelId,
        long seed,
        int[] prompt,
        int mostTokens,
        List<Integer> expected,
        boolean mustSucceed) {
    private static final double EDITED = 0.2;

    static Question draw(
            String modelId, int blockCount, int prompt, int answer, boolean must, Chance chance) {
        int[] tokens = new int[prompt];
        for (int i = 0; i < prompt; i++) {
            tokens[i] = 1 + chance.below(ArithmeticStage.VOCABULARY - 1);
        }
        return of(modelId, blockCount, tokens, answer, must, chance);
    }

    /**
     * What the same reader asks next: all that was said, or, where the chat was edited, a part of
     * it, and some words more.
     */
    Question next(int blockCount, int more, int answer, Chance chance) {
        int[] said =
                IntStream.concat(
                                Arrays.stream(prompt),
                                expected.stream().mapToInt(Integer::intValue))
                        .toArray();
        boolean edited = chance.happens(EDITED);
        int kept = edited ? (int) chance.between(1, said.length) : said.length;
        int[] tokens = Arrays.copyOf(said, kept + more);
        for (int i = kept; i < tokens.length; i++) {
            tokens[i] = 1 + chance.below(ArithmeticStage.VOCABULARY - 1);
        }
        return of(modelId, blockCount, tokens, answer, false, chance);
    }

    private static Question of(
            String modelId, int blockCount, int[] tokens, int answer, boolean must, Chance chance) {
        long seed = chance.below(Integer.MAX_VALUE);
        List<Integer> expected = new ArrayList<>();
        for (int token : ArithmeticStage.answer(blockCount, tokens, seed, answer)) {
            expected.add(token);
            if (token == 0) {
                break;
            }
        }
        return new Question(
                modelId, seed, tokens, answer, Collections.unmodifiableList(expected), must);
    }

    /** KV positions it needs in every stage. */
    int positions() {
        return prompt.length + mostTokens;
    }
}
