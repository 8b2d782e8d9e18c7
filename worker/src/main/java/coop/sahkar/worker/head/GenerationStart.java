package coop.sahkar.worker.head;

import coop.sahkar.proto.SealedTicket;
import coop.sahkar.worker.engine.Sampling;
import java.util.Arrays;

/**
 * A generation to run from this head.
 *
 * @param ticket session, route and limits, verified
 * @param sampling how the tail chooses tokens
 * @param prompt at least one token; not to be changed
 * @param committed tokens that were committed after the prompt before this start; not to be changed
 * @param heard how many of these the reader has; the rest it is told first
 * @param maxTokens most tokens after the prompt, {@code committed} included; at least 1
 * @param text turns tokens into text; owned by the engine's thread from here on
 * @param sink hears what happens
 * @param turn epoch of the session's first route for this generation; the ticket's, unless another
 *     head began it
 * @param restMillis how long the stages may keep the session when it ends well; 0: not at all
 */
@SuppressWarnings("ArrayRecordComponent")
public record GenerationStart(
        SealedTicket ticket,
        Sampling sampling,
        int[] prompt,
        int[] committed,
        int heard,
        int maxTokens,
        TextAssembler text,
        GenerationSink sink,
        int turn,
        int restMillis) {

    /** One whose reader has all that was committed before. */
    public GenerationStart(
            SealedTicket ticket,
            Sampling sampling,
            int[] prompt,
            int[] committed,
            int maxTokens,
            TextAssembler text,
            GenerationSink sink,
            int turn,
            int restMillis) {
        this(
                ticket,
                sampling,
                prompt,
                committed,
                committed.length,
                maxTokens,
                text,
                sink,
                turn,
                restMillis);
    }

    /**
     * The same behind what was committed here since its reader was last heard of.
     *
     * @param past the session's tokens as it was left here, in the same turn
     */
    public GenerationStart goingOn(PastTurn past) {
        int from = prompt.length + committed.length;
        int to = Math.min(past.tokens().length, prompt.length + maxTokens);
        if (to <= from || past.common(this) < from || sampling.chances() > 0) {
            return this; // chances were not kept: who wants them has them computed again
        }
        int[] all = Arrays.copyOf(committed, to - prompt.length);
        System.arraycopy(past.tokens(), from, all, committed.length, to - from);
        return new GenerationStart(
                ticket, sampling, prompt, all, heard, maxTokens, text, sink, turn, restMillis);
    }
}
