package coop.sahkar.worker.engine;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What stages of a route say to each other; the domain's side of the wire's RingMessage. */
public sealed interface StageMessage {

    /** Whether it carries one token's worth of one session, and nothing else. */
    default boolean alone() {
        return switch (this) {
            case Frames(List<Frame> frames) ->
                    frames.size() == 1 && frames.getFirst().tokens().length == 1;
            case Tokens(List<Token> tokens) -> tokens.size() == 1;
            case Open _,
                    Progress _,
                    NeedFrom _,
                    Close _,
                    Failed _,
                    Leaving _,
                    KvWanted _,
                    KvPart _,
                    Probe _,
                    ProbeAnswer _ ->
                    false;
        };
    }

    /**
     * Opens a session at a stage. Forwarded from stage to stage ahead of the first frame.
     *
     * @param ticket verified before it comes here
     * @param stage which stage of the route the receiver is, from 0
     * @param sampling how the tail chooses tokens
     * @param keep what a stage may keep that knows the session; it forgets the rest
     * @param before verified too: the route before, if a worker of it that is leaving may be asked
     *     for what it holds; else null
     */
    record Open(
            SealedTicket ticket,
            int stage,
            Sampling sampling,
            Keep keep,
            @Nullable SealedTicket before)
            implements StageMessage {
        /** Opens a session of which nothing can be had from a worker that leaves. */
        public Open(SealedTicket ticket, int stage, Sampling sampling, Keep keep) {
            this(ticket, stage, sampling, keep, null);
        }

        /** Opens a session of which nothing is held anywhere. */
        public Open(SealedTicket ticket, int stage, Sampling sampling) {
            this(ticket, stage, sampling, Keep.NOTHING);
        }

        /** The same for the stage behind. */
        Open behind() {
            return new Open(ticket, stage + 1, sampling, keep, before);
        }
    }

    /**
     * Everything one batch made for one receiver, so that it can be one batch there too.
     *
     * @param frames at least one
     */
    record Frames(List<Frame> frames) implements StageMessage {
        public Frames {
            frames = List.copyOf(frames);
        }
    }

    /**
     * Hidden states of consecutive positions of one session.
     *
     * @param session the session
     * @param epoch number of its route
     * @param firstPosition position of the first hidden state
     * @param tokens the token at each position; not to be changed
     * @param wantToken whether the tail is to choose the token after the last position
     * @param codec how {@code hidden} is written
     * @param hidden {@code tokens.length × width} values from position to limit, little-endian;
     *     read-only, never changed after it was made
     * @param computedMicros time for which the stages up to the sender computed the last position;
     *     0 when not known
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Frame(
            SessionId session,
            int epoch,
            int firstPosition,
            int[] tokens,
            boolean wantToken,
            HiddenCodec codec,
            ByteBuffer hidden,
            int computedMicros) {

        /** A frame of which it is not known how long it was computed. */
        public Frame(
                SessionId session,
                int epoch,
                int firstPosition,
                int[] tokens,
                boolean wantToken,
                HiddenCodec codec,
                ByteBuffer hidden) {
            this(session, epoch, firstPosition, tokens, wantToken, codec, hidden, 0);
        }

        /** One past the last position. */
        public int endPosition() {
            return firstPosition + tokens.length;
        }
    }

    /**
     * From the tail to one head: what one batch chose for it.
     *
     * @param tokens at least one
     */
    record Tokens(List<Token> tokens) implements StageMessage {
        public Tokens {
            tokens = List.copyOf(tokens);
        }
    }

    /**
     * One chosen token.
     *
     * @param position its position: one more than the frame's last
     * @param chances if wanted: its own, then those of the likeliest; else empty
     * @param embedding if wanted: the hidden state it was chosen from; else empty
     * @param computedMicros time for which the stages computed the position before; 0 when not
     *     known
     */
    record Token(
            SessionId session,
            int epoch,
            int position,
            int token,
            List<TokenChance> chances,
            List<Float> embedding,
            int computedMicros) {
        public Token {
            chances = List.copyOf(chances);
            embedding = List.copyOf(embedding);
        }

        /** A token whose chances nobody asked for. */
        public Token(SessionId session, int epoch, int position, int token) {
            this(session, epoch, position, token, List.of(), List.of(), 0);
        }
    }

    /**
     * From the tail to the head: a chunk is computed whose token nobody asked for.
     *
     * @param position how many positions the tail holds
     */
    record Progress(SessionId session, int epoch, int position) implements StageMessage {}

    /**
     * To the stage before: send again from {@code position} on.
     *
     * @param position the first one lacking
     */
    record NeedFrom(SessionId session, int epoch, int position) implements StageMessage {}

    /**
     * To a stage: the session's generation is over.
     *
     * @param restMillis how long its KV may be kept for the chat's next turn or, where it is over
     *     {@code hereOnly}, for the worker that takes the place; 0: it is freed
     * @param hereOnly whether the stages behind go on along another route
     */
    record Close(SessionId session, int epoch, int restMillis, boolean hereOnly)
            implements StageMessage {
        /** Frees the session's KV, in the stages behind, too. */
        public Close(SessionId session, int epoch) {
            this(session, epoch, 0, false);
        }

        /** Lets the session rest, in the stages behind, too. */
        public Close(SessionId session, int epoch, int restMillis) {
            this(session, epoch, restMillis, false);
        }
    }

    /**
     * To the head: the stage at a worker is about to leave; it works until the session has gone.
     */
    record Leaving(SessionId session, int epoch, String workerId) implements StageMessage {}

    /**
     * To the worker whose place the sender takes in a route: send me what you hold of the session.
     *
     * @param leaver who is asked
     * @param ticket the sender's route, verified before it comes here
     * @param stage which stage of it the sender is
     * @param turn the turn that runs; KV of another one is of no use
     * @param positions positions, from 0, wanted at most
     * @param format what {@link Stage#kvFormat} says at the sender
     * @param offset first byte of the portion that is wanted now
     */
    record KvWanted(
            String leaver,
            SealedTicket ticket,
            int stage,
            int turn,
            int positions,
            String format,
            long offset)
            implements StageMessage {}

    /**
     * A piece of a session's KV.
     *
     * @param epoch number of the route on which it is wanted
     * @param workerId who sends it
     * @param positions positions, from 0, that all pieces hold; 0: there is nothing to be had
     * @param bytes of all pieces
     * @param offset first byte of this piece
     * @param tokens with a tail's first piece: the token at each position; else empty; not to be
     *     changed
     * @param part the piece, read-only
     */
    @SuppressWarnings("ArrayRecordComponent")
    record KvPart(
            SessionId session,
            int epoch,
            String workerId,
            int positions,
            long bytes,
            long offset,
            int[] tokens,
            ByteBuffer part)
            implements StageMessage {

        /** There is nothing to be had. */
        public static KvPart none(SessionId session, int epoch, String workerId) {
            return new KvPart(
                    session, epoch, workerId, 0, 0, 0, new int[0], ByteBuffer.allocate(0));
        }
    }

    /**
     * To the head: a stage cannot go on with a session.
     *
     * @param workerId the worker at fault
     */
    record Failed(SessionId session, int epoch, Problem problem, String workerId)
            implements StageMessage {}

    /**
     * From the head to a stage of a route that has fallen silent: are you there, and how far?
     *
     * @param ticket verified before it comes here
     * @param stage which stage of the route the receiver is
     * @param round which probe of the epoch it is
     */
    record Probe(SealedTicket ticket, int stage, int round) implements StageMessage {}

    /**
     * How far a stage is; answered by the thread that computes.
     *
     * @param stage which stage answers
     * @param round the probe that is answered
     * @param open whether the session is open there in this epoch; else the rest means nothing
     * @param held positions in the KV, or of KV on its way there that have come
     * @param queued those and the ones that wait to be computed
     * @param flowing whether the stage behind has said what it holds; true at the tail
     * @param sent one past the last position sent on; at the tail, computed
     * @param batchMicros time of the last batch of decode rows; 0 when there was none
     * @param usualMicros what such a batch takes there as a rule; 0 when not known
     */
    record ProbeAnswer(
            SessionId session,
            int epoch,
            int stage,
            int round,
            boolean open,
            int held,
            int queued,
            boolean flowing,
            int sent,
            int batchMicros,
            int usualMicros)
            implements StageMessage {}
}
