package coop.sahkar.worker.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * How likely a token was, by the model's own output.
 *
 * @param token its id
 * @param logProbability natural logarithm of its probability; finite, at most 0
 */
public record TokenChance(int token, float logProbability) {
    /** Stands for "impossible", which JSON could not say. */
    static final float LEAST = -9_999;

    /**
     * The chances at one position, the logarithm of the softmax of its logits.
     *
     * @param logits {@code vocabulary} F32
     * @param chosen the token that was chosen
     * @param likeliest how many of the likeliest to tell
     * @return the chosen token's, then the likeliest, likeliest first, of equals the lower id first
     */
    public static List<TokenChance> of(
            MemorySegment logits, int vocabulary, int chosen, int likeliest) {
        int count = Math.min(likeliest, vocabulary);
        int[] top = new int[count];
        int found = 0;
        double best = Double.NEGATIVE_INFINITY;
        for (int id = 0; id < vocabulary; id++) {
            float logit = at(logits, id);
            best = Math.max(best, logit);
            if (found < count || (count > 0 && logit > at(logits, top[count - 1]))) {
                found = Math.min(found + 1, count);
                int place = found - 1;
                while (place > 0 && at(logits, top[place - 1]) < logit) {
                    top[place] = top[place - 1];
                    place--;
                }
                top[place] = id;
            }
        }
        double sum = 0;
        for (int id = 0; id < vocabulary; id++) {
            sum += Math.exp(at(logits, id) - best);
        }
        double norm = best + Math.log(sum);
        List<TokenChance> chances = new ArrayList<>(count + 1);
        chances.add(chance(logits, chosen, norm));
        for (int id : top) {
            chances.add(chance(logits, id, norm));
        }
        return chances;
    }

    private static TokenChance chance(MemorySegment logits, int id, double norm) {
        double log = at(logits, id) - norm;
        return new TokenChance(id, (float) Math.clamp(log, LEAST, 0));
    }

    private static float at(MemorySegment logits, int id) {
        return logits.getAtIndex(ValueLayout.JAVA_FLOAT, id);
    }
}
