package coop.sahkar.deploy.simulate;

import coop.sahkar.worker.simulate.ArithmeticStage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

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

    static Question draw(
            String modelId, int blockCount, int prompt, int answer, boolean must, Chance chance) {
        int[] tokens = new int[prompt];
        for (int i = 0; i < prompt; i++) {
            tokens[i] = 1 + chance.below(ArithmeticStage.VOCABULARY - 1);
        }
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
