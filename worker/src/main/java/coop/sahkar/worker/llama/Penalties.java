package coop.sahkar.worker.llama;

import coop.sahkar.worker.engine.Sampling;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * llama.cpp's penalties sampler, told before each use which tokens are recent: it remembers on its
 * own, and a choice must not depend on what was asked earlier.
 */
final class Penalties implements AutoCloseable {
    private static final int WHOLE_SESSION = -1;
    private static final int FIRST_ROOM = 1024;

    private final SamplerCalls calls;
    private final int vocabulary;
    private final Sampling sampling;
    private int room;
    private MemorySegment sampler;

    Penalties(SamplerCalls calls, int vocabulary, Sampling sampling) {
        this.calls = calls;
        this.vocabulary = vocabulary;
        this.sampling = sampling;
        room = wholeSession() ? FIRST_ROOM : sampling.penaltyWindow();
        sampler = open();
    }

    /** Whether these parameters change any logit. */
    static boolean areOn(Sampling sampling) {
        return sampling.penaltyWindow() != 0
                && (sampling.repetitionPenalty() != 1
                        || sampling.frequencyPenalty() != 0
                        || sampling.presencePenalty() != 0);
    }

    /**
     * Applies the penalties for the last tokens before {@code position}.
     *
     * @throws IndexOutOfBoundsException if one of them is not in the vocabulary
     */
    void apply(MemorySegment candidates, int position, int[] history) {
        if (wholeSession() && position > room) {
            calls.free(sampler);
            room = Integer.highestOneBit(position) << 1;
            sampler = open();
        }
        calls.reset(sampler);
        for (int at = Math.max(0, position - room); at < position; at++) {
            calls.accept(sampler, Objects.checkIndex(history[at], vocabulary));
        }
        calls.apply(sampler, candidates);
    }

    private boolean wholeSession() {
        return sampling.penaltyWindow() == WHOLE_SESSION;
    }

    private MemorySegment open() {
        return calls.penalties(
                vocabulary,
                room,
                sampling.repetitionPenalty(),
                sampling.frequencyPenalty(),
                sampling.presencePenalty());
    }

    @Override
    public void close() {
        calls.free(sampler);
    }
}
