package coop.sahkar.worker.head;

import coop.sahkar.proto.SealedTicket;
import coop.sahkar.worker.engine.Sampling;

/**
 * A generation to run from this head.
 *
 * @param ticket session, route and limits, verified
 * @param sampling how the tail chooses tokens
 * @param prompt at least one token; not to be changed
 * @param committed tokens that an earlier head of the session has committed after the prompt; not
 *     to be changed
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
        int maxTokens,
        TextAssembler text,
        GenerationSink sink,
        int turn,
        int restMillis) {}
