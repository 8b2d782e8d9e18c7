package coop.sahkar.worker.head;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.worker.engine.TokenChance;
import java.util.List;

/**
 * What the head's engine reports of a generation. Called on the engine's thread and must not block
 * it. Exactly one of {@link #finished} and {@link #failed} comes, last; neither after a
 * cancellation.
 */
public interface GenerationSink {
    /**
     * All stages have computed part of the prompt.
     *
     * @param positions how many positions of the prompt, growing from call to call
     */
    void prefilled(int positions);

    /**
     * Tokens were committed.
     *
     * @param position position of the first of them
     * @param tokens in order; empty when only text that was held back comes
     * @param text what may be shown now; may be empty
     */
    void delta(int position, int[] tokens, String text);

    /**
     * How likely the token was that the next {@link #delta} tells of; said before it.
     *
     * @param chances the token's own, then the likeliest; empty when nobody asked for them
     */
    default void chances(List<TokenChance> chances) {}

    /**
     * The hidden state that the token was chosen from that the next {@link #delta} tells of; said
     * before it, if it was asked for.
     */
    default void embedding(List<Float> state) {}

    /** The generation is complete. */
    void finished(GenerationEnd end);

    /**
     * The route is repaired, and the generation goes on along another one.
     *
     * @param route the right to it; the same session in a later epoch
     * @param repairMicros from the loss to the new route
     */
    void rerouted(SealedTicket route, long repairMicros);

    /**
     * The head is about to leave: another should take the generation over. It goes on till then.
     */
    void leaving();

    /**
     * The generation cannot go on, since no other route was found for as long as is sensible. Comes
     * in the place of {@link #failed}.
     */
    default void noSpare(Problem problem, String workerId) {
        failed(problem, workerId);
    }

    /**
     * The generation cannot go on.
     *
     * @param workerId the worker at fault; empty when none is
     */
    void failed(Problem problem, String workerId);
}
