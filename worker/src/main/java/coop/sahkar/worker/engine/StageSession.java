package coop.sahkar.worker.engine;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Open;
import coop.sahkar.worker.head.HeadGeneration;
import coop.sahkar.worker.head.PastTurn;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One session in one stage: the positions its KV holds, the rows that wait, what was sent on, and
 * what was asked for. Confined to the engine's thread.
 *
 * <p>{@code held} positions are in the KV; those from {@code held} to {@code end} wait in frames.
 */
final class StageSession {
    /** The stage behind has not said yet what it holds. */
    private static final int NOT_SAID = -1;

    /** Nothing is being sent again. */
    private static final int NO_RESEND = -1;

    private final SessionKv kv;
    private final @Nullable BoundaryLog log;
    private final WaitingFrames waiting = new WaitingFrames();

    private SealedTicket sealed;
    private int index;
    private Sampling sampling;
    private Keep keep;
    private @Nullable HeadGeneration generation;
    private @Nullable PastTurn past;
    private final TailTokens tokens;
    private int held;
    private int end;

    /** Positions that this stage, or the one in its place before, has computed at some time. */
    private int reached;

    private int asked = SessionRules.NOTHING_ASKED;
    private long askedNanos;
    private long activeNanos;

    /**
     * What the stage behind has said it holds, until the first frame has gone there: rows below are
     * not sent. On a renewed route nothing is sent before it has said so.
     */
    private int behindHolds;

    /** What the stage behind still lacks begins here; frames wait in the log meanwhile. */
    private int resendFrom = NO_RESEND;

    private final RouteLosses losses = new RouteLosses();
    private boolean resting;
    private long restUntilNanos;
    private @Nullable KvArrival arrival;
    private @Nullable KvGift gift;

    StageSession(
            Stage stage,
            int sequence,
            @Nullable BoundaryLog log,
            SealedTicket sealed,
            int index,
            Sampling sampling,
            Keep keep,
            long nowNanos) {
        this.kv = new SessionKv(stage, sequence);
        this.tokens = new TailTokens(stage);
        this.log = log;
        this.sealed = sealed;
        this.index = index;
        this.sampling = sampling;
        this.keep = keep;
        this.activeNanos = nowNanos;
        this.behindHolds = renewed() ? NOT_SAID : 0;
    }

    /** Makes it the head's session of a generation. */
    void drive(HeadGeneration generation) {
        this.generation = generation;
        this.past = null;
    }

    /** The tokens of the generation that runs here, or of the last one that did; head only. */
    @Nullable PastTurn past() {
        return generation == null ? past : generation.past();
    }

    /** Epoch in which the last generation began that this stage took part in. */
    int turn() {
        return keep.turn();
    }

    /** What a stage may keep of it, as was said when its route was opened. */
    Keep keep() {
        return keep;
    }

    /** Its generation is over; what it holds is kept until {@code untilNanos}. */
    void rest(long untilNanos) {
        dropWaiting(held);
        tokens.closeSampler();
        past = past();
        generation = null;
        asked = SessionRules.NOTHING_ASKED;
        rest(true);
        restUntilNanos = untilNanos;
    }

    private void rest(boolean nowRests) {
        resting = nowRests;
        if (log != null) {
            log.rest(nowRests);
        }
    }

    boolean resting() {
        return resting;
    }

    /** Whether a route of that number is an old one here. */
    boolean hasSeen(int otherEpoch) {
        return resting ? otherEpoch <= epoch() : otherEpoch < epoch();
    }

    long restUntilNanos() {
        return restUntilNanos;
    }

    /**
     * Goes over to a newer route. Of what the KV and the log hold only that stays which the head
     * lets it keep; nothing, if the route is for another account.
     */
    void reroute(Open open) {
        SealedTicket newer = open.ticket();
        boolean same = newer.ticket().account().equals(ticket().account());
        int kept = same ? open.keep().after(turn()) : 0;
        if (open.keep().turn() != turn()) {
            reached = open.keep().most();
        }
        dropWaiting(held);
        tokens.closeSampler();
        arrival = null;
        gift = null;
        sealed = newer;
        index = open.stage();
        sampling = open.sampling();
        keep = open.keep();
        rest(false);
        asked = SessionRules.NOTHING_ASKED;
        behindHolds(NOT_SAID);
        losses.clear();
        truncate(Math.min(kept, Math.min(held, newer.ticket().maxPositions())));
    }

    /** Its KV is on its way here, or is so no more. */
    void awaits(@Nullable KvArrival nowArrival) {
        arrival = nowArrival;
    }

    @Nullable KvArrival arrival() {
        return arrival;
    }

    /**
     * Its KV has come from another worker, whole. Of that it keeps what the stage behind holds too:
     * the log begins here, and has nothing for it.
     *
     * @param itsTokens the token at each position; tail only
     */
    void moved(int positions, int[] itsTokens) {
        arrival = null;
        held = positions;
        end = positions;
        if (downstream() == null) {
            tokens.are(itsTokens);
        } else if (behindHolds != NOT_SAID) {
            truncate(Math.min(behindHolds, positions));
        }
        if (log != null) {
            log.beginAt(held);
        }
    }

    /** It goes on elsewhere: what it holds is somebody else's. */
    void give(KvGift nowGift) {
        dropWaiting(held);
        tokens.closeSampler();
        gift = nowGift;
    }

    /** What becomes of its KV when it goes on elsewhere; null as long as it is here. */
    @Nullable KvGift gift() {
        return gift;
    }

    /** The token at each of the first {@code positions}, as a tail knows them; else none. */
    int[] tokens(int positions) {
        return downstream() == null ? tokens.first(positions) : new int[0];
    }

    /** Whether the route is not the session's first: stages of it may hold positions. */
    boolean renewed() {
        return epoch() > 1;
    }

    /** The stage behind holds positions up to {@code position}. */
    void behindHolds(int position) {
        behindHolds = position;
        resendFrom = NO_RESEND;
    }

    /** The log's positions from {@code position} on are yet to be sent to the stage behind. */
    void resend(int position) {
        resendFrom = position;
    }

    /** Whether some of the log is yet to be sent to the stage behind. */
    boolean resends() {
        return resendFrom != NO_RESEND;
    }

    /** From where on, if {@link #resends}. */
    int resendFrom() {
        return resendFrom;
    }

    /**
     * One past the last position that was sent to the stage behind, or reached here at the tail.
     */
    int sentEnd() {
        if (log == null) {
            return held;
        }
        return resends() ? Math.min(resendFrom, log.end()) : log.end();
    }

    /** Whether frames flow to the stage behind; true at the tail. */
    boolean flowing() {
        return behindHolds != NOT_SAID || downstream() == null;
    }

    /** What of a frame just computed is to be sent on; null for nothing. */
    @Nullable Frame toSend(Frame computed) {
        int end = computed.endPosition();
        if (!flowing() || resends() || (end <= behindHolds && !computed.wantToken())) {
            return null;
        }
        int first = Math.max(computed.firstPosition(), Math.min(behindHolds, end - 1));
        behindHolds = 0;
        return FrameCut.rows(computed, first, end);
    }

    /**
     * Its route is broken next to here: it is kept for a while, for a repair to take it over.
     *
     * @param workerId who is lost, one of those that the session {@linkplain #needs needs}
     * @return whether that is new on this route
     */
    boolean orphan(String workerId, long nowNanos) {
        return losses.add(workerId, nowNanos);
    }

    /** Whether no repair has come for it within {@code patienceNanos}. */
    boolean abandoned(long nowNanos, long patienceNanos) {
        return losses.olderThan(nowNanos, patienceNanos);
    }

    SessionId id() {
        return ticket().session();
    }

    int epoch() {
        return ticket().epoch();
    }

    Ticket ticket() {
        return sealed.ticket();
    }

    SealedTicket sealed() {
        return sealed;
    }

    int index() {
        return index;
    }

    /** Where what it holds is kept. */
    SessionKv kv() {
        return kv;
    }

    /**
     * What it holds is in the cache from here on, if it was not; all of it or, without room,
     * nothing.
     */
    void wake() {
        if (!kv.restore(held)) {
            truncate(0);
        }
    }

    Sampling sampling() {
        return sampling;
    }

    RouteStage self() {
        return ticket().stages().get(index);
    }

    @Nullable RouteStage upstream() {
        return index == 0 ? null : ticket().stages().get(index - 1);
    }

    @Nullable RouteStage downstream() {
        int next = index + 1;
        return next == ticket().stages().size() ? null : ticket().stages().get(next);
    }

    /** Whether a worker's loss ends the session here: a neighbour, the head, or the head's tail. */
    boolean needs(String workerId) {
        RouteStage farEnd = index == 0 ? ticket().tail() : ticket().head();
        return is(upstream(), workerId) || is(downstream(), workerId) || is(farEnd, workerId);
    }

    @Nullable HeadGeneration generation() {
        return generation;
    }

    @Nullable BoundaryLog log() {
        return log;
    }

    int held() {
        return held;
    }

    int end() {
        return end;
    }

    int waitingRows() {
        return end - held;
    }

    /** Whether all that waits is one row whose token is wanted. */
    boolean decodes() {
        return end - held == 1 && waiting.first().wantToken();
    }

    void touch(long nowNanos) {
        activeNanos = nowNanos;
    }

    long activeNanos() {
        return activeNanos;
    }

    int asked() {
        return asked;
    }

    long askedNanos() {
        return askedNanos;
    }

    void ask(int position, long nowNanos) {
        asked = position;
        askedNanos = nowNanos;
    }

    /** Takes a frame that fits; positions from its first on are forgotten before. */
    void accept(Frame frame, long arrivedNanos) {
        asked = SessionRules.NOTHING_ASKED;
        truncate(frame.firstPosition());
        waiting.add(frame, arrivedNanos);
        end = frame.endPosition();
    }

    /**
     * Forgets the positions from {@code position} on, in the KV, in the log and among what waits.
     */
    void truncate(int position) {
        dropWaiting(position);
        if (position < held) {
            kv.truncate(position);
            held = position;
            end = position;
            if (log != null) {
                log.truncate(position);
                resendFrom = Math.min(resendFrom, position);
            }
        }
    }

    /**
     * Puts up to {@code most} rows of the first frame that waits into a batch; there is one. The
     * frames behind it wait for the next batch: a prompt's chunks are to follow each other through
     * the ring, not to travel as one.
     */
    Slice fill(Rows rows, int width, int most) {
        int row = rows.count();
        long arrived = waiting.firstArrivedNanos();
        Frame frame = waiting.first();
        int from = held - frame.firstPosition();
        int count = Math.min(frame.tokens().length - from, most);
        boolean last = from + count == frame.tokens().length;
        boolean want = last && frame.wantToken();
        copy(frame, from, count, want, rows, width);
        if (last) {
            waiting.removeFirst();
        }
        int[] filled = Arrays.copyOfRange(rows.token, row, rows.count());
        return new Slice(this, row, held, filled, want, arrived, frame.computedMicros());
    }

    /** On an earlier route positions up to {@code position} were computed, here or elsewhere. */
    void reached(int position) {
        reached = Math.max(reached, position);
    }

    /**
     * The batch with this slice is computed.
     *
     * @return how many of its rows were computed for the session before, here or elsewhere
     */
    int computed(Slice slice) {
        int again = Math.clamp((long) reached - slice.firstPosition(), 0, slice.count());
        reached(slice.endPosition());
        held = slice.endPosition();
        if (downstream() == null) {
            tokens.remember(slice, ticket().maxPositions());
        }
        return again;
    }

    /** Chooses the token after the last position held. Tail only. */
    int sample(int row) {
        return tokens.sample(row, held, sampling);
    }

    /** How likely the chosen token and others were, as far as the session asks for it. */
    List<TokenChance> chances(int row, int chosen) {
        return tokens.chances(row, chosen, sampling);
    }

    /** Whether the hidden state is told that a token was chosen from. */
    boolean wantsEmbedding() {
        return sampling.embedding();
    }

    /** Gives everything back but the sequence's id. */
    void close() {
        arrival = null;
        dropWaiting(0);
        held = 0;
        end = 0;
        kv.close();
        tokens.closeSampler();
        if (log != null) {
            log.close();
        }
    }

    private void copy(Frame frame, int from, int count, boolean want, Rows rows, int width) {
        int row = rows.count();
        for (int i = 0; i < count; i++) {
            int position = frame.firstPosition() + from + i;
            rows.add(frame.tokens()[from + i], position, kv.sequence(), want && i == count - 1);
        }
        if (want && sampling.embedding()) {
            rows.wantNormed();
        }
        if (index > 0) {
            HiddenStates.read(frame, from, count, width, rows.hidden, row);
        }
    }

    private void dropWaiting(int position) {
        end = waiting.drop(position, held);
    }

    private static boolean is(@Nullable RouteStage stage, String workerId) {
        return stage != null && stage.workerId().equals(workerId);
    }
}
