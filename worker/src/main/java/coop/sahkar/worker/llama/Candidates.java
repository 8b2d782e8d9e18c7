package coop.sahkar.worker.llama;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;
import static java.lang.foreign.MemoryLayout.paddingLayout;
import static java.lang.foreign.MemoryLayout.structLayout;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.Arrays;

/**
 * A {@code llama_token_data_array}: the tokens still in the running, which samplers thin out. One
 * serves all samplers of a stage, since they run one after the other on its thread.
 */
final class Candidates {
    private static final StructLayout TOKEN =
            structLayout(
                    JAVA_INT.withName("id"),
                    JAVA_FLOAT.withName("logit"),
                    JAVA_FLOAT.withName("p"));

    private static final StructLayout ARRAY =
            structLayout(
                    ADDRESS.withName("data"),
                    JAVA_LONG.withName("size"),
                    JAVA_LONG.withName("selected"),
                    JAVA_BOOLEAN.withName("sorted"),
                    paddingLayout(7));

    private static final long TOKEN_BYTES = TOKEN.byteSize();
    private static final long ID = TOKEN.byteOffset(groupElement("id"));
    private static final long LOGIT = TOKEN.byteOffset(groupElement("logit"));
    private static final long PROBABILITY = TOKEN.byteOffset(groupElement("p"));
    private static final long DATA = ARRAY.byteOffset(groupElement("data"));
    private static final long SIZE = ARRAY.byteOffset(groupElement("size"));
    private static final long SELECTED = ARRAY.byteOffset(groupElement("selected"));
    private static final long SORTED = ARRAY.byteOffset(groupElement("sorted"));

    private final int vocabulary;
    private final MemorySegment array;
    private final MemorySegment tokens;
    private final long[] byId;
    private final double[] weights;

    Candidates(int vocabulary, Arena arena) {
        this.vocabulary = vocabulary;
        array = arena.allocate(ARRAY);
        tokens = arena.allocate(vocabulary * TOKEN_BYTES, 16);
        byId = new long[vocabulary];
        weights = new double[vocabulary];
    }

    int vocabulary() {
        return vocabulary;
    }

    /** The C struct, for samplers. */
    MemorySegment array() {
        return array;
    }

    /** Puts every token in the running. */
    void fill(MemorySegment logits) {
        for (int id = 0; id < vocabulary; id++) {
            put(id, id, logits.getAtIndex(JAVA_FLOAT, id));
        }
        begin(vocabulary);
    }

    /** Puts one token in the running. */
    void only(int id) {
        put(0, id, 0);
        begin(1);
    }

    /** Puts every token in the running, all alike. */
    void all() {
        for (int id = 0; id < vocabulary; id++) {
            put(id, id, 0);
        }
        begin(vocabulary);
    }

    private void put(int place, int id, float logit) {
        long at = place * TOKEN_BYTES;
        tokens.set(JAVA_INT, at + ID, id);
        tokens.set(JAVA_FLOAT, at + LOGIT, logit);
        tokens.set(JAVA_FLOAT, at + PROBABILITY, 0f);
    }

    private void begin(int count) {
        array.set(ADDRESS, DATA, tokens);
        array.set(JAVA_LONG, SIZE, count);
        array.set(JAVA_LONG, SELECTED, -1);
        array.set(JAVA_BOOLEAN, SORTED, false);
    }

    /** Takes those out whose logit is minus infinity, and says how many are left. */
    int dropImpossible() {
        MemorySegment left = left();
        int size = size();
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (left.get(JAVA_FLOAT, i * TOKEN_BYTES + LOGIT) > Float.NEGATIVE_INFINITY) {
                MemorySegment.copy(left, i * TOKEN_BYTES, left, kept * TOKEN_BYTES, TOKEN_BYTES);
                kept++;
            }
        }
        array.set(JAVA_LONG, SIZE, kept);
        return kept;
    }

    /** The likeliest token; of equals the one with the lowest id. */
    int likeliest() {
        MemorySegment left = left();
        int size = size();
        int best = Integer.MAX_VALUE;
        float bestLogit = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            int id = left.get(JAVA_INT, i * TOKEN_BYTES + ID);
            float logit = left.get(JAVA_FLOAT, i * TOKEN_BYTES + LOGIT);
            if (logit > bestLogit || (logit == bestLogit && id < best)) {
                best = id;
                bestLogit = logit;
            }
        }
        return best;
    }

    /**
     * Draws one of those left by their probability, walking them in the order of their ids: that
     * order does not depend on how a sampler sorted equals, nor on the last bits of the logits.
     *
     * @param unit a number in {@code [0, 1)}; equal numbers draw equal tokens
     */
    int draw(double unit) {
        MemorySegment left = left();
        int size = size();
        float best = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            byId[i] = ((long) left.get(JAVA_INT, i * TOKEN_BYTES + ID) << Integer.SIZE) | i;
            best = Math.max(best, left.get(JAVA_FLOAT, i * TOKEN_BYTES + LOGIT));
        }
        Arrays.sort(byId, 0, size);
        double sum = 0;
        for (int i = 0; i < size; i++) {
            float logit = left.get(JAVA_FLOAT, (int) byId[i] * TOKEN_BYTES + LOGIT);
            weights[i] = Math.exp((double) logit - best);
            sum += weights[i];
        }
        return tokenAt(unit * sum, size);
    }

    private int tokenAt(double target, int size) {
        double passed = 0;
        int lastPossible = 0;
        for (int i = 0; i < size; i++) {
            passed += weights[i];
            if (weights[i] > 0) {
                lastPossible = i;
                if (passed > target) {
                    break;
                }
            }
        }
        return (int) (byId[lastPossible] >>> Integer.SIZE);
    }

    private int size() {
        return (int) array.get(JAVA_LONG, SIZE);
    }

    /** Where those left stand; a sampler may have moved them. */
    private MemorySegment left() {
        return array.get(ADDRESS, DATA).reinterpret(size() * TOKEN_BYTES);
    }
}
