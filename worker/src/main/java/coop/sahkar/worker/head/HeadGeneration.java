package coop.sahkar.worker.head;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.TokenChance;
import coop.sahkar.worker.engine.Vocabulary;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One generation, as its head drives it: which rows go into the ring next, which tokens are
 * committed, and when it is over. Pure: time is an argument, results go to the sink.
 *
 * <p>Three positions tell the whole state. {@code known} is one past the last committed token,
 * {@code fed} one past the last that was fed into the ring, {@code acked} how many the tail is
 * known to hold; none exceeds {@code known}. While {@code fed < known} chunks go in, a bounded
 * window of them ahead of {@code acked}, so that they chase one another down the stages. When all
 * is fed the generation waits for the one token at {@code known}; any other token is a duplicate.
 */
public final class HeadGeneration {
    /** A generation is not given up before so many trips round the ring could have been made. */
    private static final int PATIENCE_TRIPS = 8;

    private final Repair repair;
    private final RouteWatch watch;
    private final Vocabulary vocabulary;
    private final TextAssembler text;
    private final GenerationSink sink;
    private final int promptLength;
    private final int heard;
    private final int mostTokens;
    private final int chunkRows;
    private final int windowRows;
    private final long stallMillis;
    private final long startedNanos;
    private final int startedIn;
    private final int restMillis;

    /** Committed, but the sink has not been told yet. */
    private final Queue<Untold> untold = new ArrayDeque<>();

    private Ticket ticket;
    private int[] tokens;
    private int known;
    private int fed;
    private int acked;

    /** Positions below were held here when it began; whether they are behind, their stages say. */
    private int begun;

    private int prefilled;
    private int reused;
    private long movedNanos;
    private long firstTokenNanos;
    private long lastTokenNanos;
    private boolean sawToken;
    private long slowestNanos;
    private boolean nudged;
    private boolean leaving;
    private boolean over;
    private boolean failed;

    /**
     * Sets a generation up.
     *
     * @param start what to generate
     * @param vocabulary says which tokens end a generation
     * @param chunkRows most positions in one chunk
     * @param chunksInFlight most chunks that the tail has not acknowledged
     * @param stallMillis how long it may stand still before it fails
     * @param nowNanos the time
     */
    public HeadGeneration(
            GenerationStart start,
            Vocabulary vocabulary,
            int chunkRows,
            int chunksInFlight,
            long stallMillis,
            long nowNanos) {
        this.ticket = start.ticket().ticket();
        this.repair = new Repair(start.ticket());
        this.watch = new RouteWatch(ticket.stages().size(), nowNanos);
        this.vocabulary = vocabulary;
        this.text = start.text();
        this.sink = start.sink();
        this.promptLength = start.prompt().length;
        this.heard = promptLength + start.heard();
        this.known = promptLength + start.committed().length;
        this.tokens = Arrays.copyOf(start.prompt(), known + 1);
        System.arraycopy(start.committed(), 0, tokens, promptLength, start.committed().length);
        this.mostTokens = Math.min(start.maxTokens(), ticket.maxPositions() - promptLength);
        this.chunkRows = chunkRows;
        this.windowRows = Math.multiplyExact(chunkRows, chunksInFlight);
        this.stallMillis = stallMillis;
        this.startedNanos = nowNanos;
        this.startedIn = ticket.epoch();
        this.restMillis = start.restMillis();
        this.movedNanos = nowNanos;
    }

    /**
     * Passes what was committed before through the text, which gives back only what the reader has
     * not seen, tells the tokens that the reader has not heard of, and ends the generation at once
     * if that had already ended it.
     */
    public void begin() {
        StringBuilder unseen = new StringBuilder();
        boolean ended = false;
        int position = promptLength;
        for (; position < known && !ended; position++) {
            ended = vocabulary.endsGeneration(tokens[position]);
            if (!ended) {
                unseen.append(text.accept(tokens[position]));
                ended = text.stopped();
            }
        }
        int[] unheard = Arrays.copyOfRange(tokens, Math.min(heard, position), position);
        int first = unheard.length == 0 ? known : heard;
        boolean full = known - promptLength >= mostTokens;
        if (ended || full) {
            end(first, unheard, unseen.toString(), !ended);
        } else if (unheard.length > 0 || !unseen.isEmpty()) {
            sink.delta(first, unheard, unseen.toString());
        }
    }

    /** The next rows for the ring, or null when it has to wait. */
    public @Nullable Chunk next() {
        if (over || fed >= known || fed - Math.max(acked, begun) >= windowRows) {
            return null;
        }
        int first = fed;
        fed = Math.min(known, first + chunkRows);
        return new Chunk(first, Arrays.copyOfRange(tokens, first, fed), fed == known);
    }

    /**
     * Takes a token from the tail. One for a position already committed, or for one that nobody
     * asked for, is ignored.
     */
    public void onToken(StageMessage.Token chosen, long nowNanos) {
        int position = chosen.position();
        int token = chosen.token();
        if (over || position != known) {
            return;
        }
        moved(nowNanos);
        repair.moved();
        acked = Math.max(acked, Math.min(position, fed));
        reportPrefill(position);
        if (token < 0 || token >= vocabulary.size()) {
            String tail = ticket.tail().workerId();
            fail(
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            "Worker %s chose token %d, which a vocabulary of %d does not have."
                                    .formatted(tail, token, vocabulary.size())),
                    tail);
            return;
        }
        commit(chosen, nowNanos);
    }

    /** Whether this is the token that it waits for; a token the vocabulary has. */
    public boolean awaits(StageMessage.Token chosen) {
        return !over
                && fed == known
                && chosen.position() == known
                && chosen.token() >= 0
                && chosen.token() < vocabulary.size();
    }

    /** The tail holds this many positions; on a repaired route more than were fed, perhaps. */
    public void onProgress(int position, long nowNanos) {
        if (over || position > known) {
            return;
        }
        moved(nowNanos);
        if (position > acked) {
            repair.moved();
            acked = position;
            reportPrefill(position);
        }
    }

    /** No stage can give positions from here on again: they are fed from the tokens once more. */
    public void rewind(int position) {
        fed = Math.min(fed, position);
        begun = Math.min(begun, position);
    }

    /** How the route is repaired. */
    public Repair repair() {
        return repair;
    }

    /** How the route is watched. */
    public RouteWatch watch() {
        return watch;
    }

    /**
     * Positions whose rows stay as they are on another route: all but the last, which is fed again
     * so that its token is chosen.
     */
    public int fixedPositions() {
        return known - 1;
    }

    /** Its tokens so far, for whoever goes on from them. */
    public PastTurn past() {
        return new PastTurn(Arrays.copyOf(tokens, known));
    }

    /** How long the stages may keep the session after its end; 0: not at all. */
    public int restMillis() {
        return restMillis;
    }

    /** The head's stage has kept this many positions from the turn before, or from another head. */
    public void begins(int held) {
        holds(held);
        begun = fed;
        reused = Math.min(fed, promptLength);
    }

    /** The head's stage holds this many positions already: they need not be fed. */
    public void holds(int held) {
        fed = Math.min(held, known - 1);
    }

    /**
     * The generation goes on along another route.
     *
     * @param held positions that the head's own stage has kept
     */
    public void rerouted(SealedTicket next, int held, long repairNanos, long nowNanos) {
        ticket = next.ticket();
        holds(held);
        watch.rerouted(ticket.stages().size(), nowNanos);
        waits(nowNanos);
        sink.rerouted(next, TimeUnit.NANOSECONDS.toMicros(repairNanos));
    }

    /** The generation waits for another route: that is no standstill. */
    public void waits(long nowNanos) {
        nudged = false;
        movedNanos = nowNanos;
    }

    /** The head is about to leave; its reader is told once. */
    public void leaves() {
        if (!over && !leaving) {
            leaving = true;
            tell();
            sink.leaving();
        }
    }

    /** Ends the generation because no other route is found. */
    public void giveUp(Problem problem, String workerId, boolean noSpare) {
        if (noSpare && !over) {
            over = true;
            failed = true;
            tell();
            sink.noSpare(problem, workerId);
        } else {
            fail(problem, workerId);
        }
    }

    /**
     * Looks after a generation that stands still. Half way to its deadline the rows that nobody has
     * acknowledged are fed once more: if they were lost in a stage, its gap shows and is filled. At
     * the deadline it fails.
     */
    public void checkStall(long nowNanos) {
        long stoodMillis = TimeUnit.NANOSECONDS.toMillis(nowNanos - movedNanos);
        long patienceMillis = patienceMillis();
        if (over || stoodMillis < patienceMillis / 2) {
            return;
        }
        if (stoodMillis >= patienceMillis) {
            failStalled(stoodMillis);
        } else if (!nudged) {
            nudged = true;
            nudge();
        }
    }

    /** Feeds the rows that nobody has acknowledged once more: if they were lost, the gap shows. */
    public void nudge() {
        rewind(Math.min(acked, known - 1));
    }

    /** The head's own stage has computed rows of the generation, in a batch that took so long. */
    public void computed(long batchNanos) {
        slowestNanos = Math.max(slowestNanos, batchNanos);
    }

    /** Ends the generation without success. */
    public void fail(Problem problem, String workerId) {
        if (!over) {
            over = true;
            failed = true;
            tell();
            sink.failed(problem, workerId);
        }
    }

    /** Whether the route is repaired after this failure of a stage, or the generation fails. */
    public boolean repairs(Problem problem) {
        boolean fresh = ticket.epoch() == startedIn && !sawToken && acked == 0;
        boolean full = problem.kind() == Problem.Kind.OVERLOADED;
        // Where nothing is lost yet, the coordinator draws another route, or tells the caller.
        return problem.kind().retryable() && !(fresh && full);
    }

    /** The epoch in which it was started here. */
    public int startedIn() {
        return startedIn;
    }

    /** Whether it has ended without success. */
    public boolean failed() {
        return failed;
    }

    /** Ends the generation without a word. */
    public void cancel() {
        over = true;
        failed = true;
    }

    /** Whether it has ended, in whatever way. */
    public boolean over() {
        return over;
    }

    /** Whether the prompt is through and tokens come one by one. */
    public boolean decoding() {
        return !over && known - acked <= 1;
    }

    private void failStalled(long stoodMillis) {
        String route =
                ticket.stages().stream()
                        .map(RouteStage::workerId)
                        .collect(Collectors.joining(" → "));
        fail(
                Problem.of(
                        Problem.Kind.WORKER_LOST,
                        "No token came through %s for %d ms. Try again: another route may be free."
                                .formatted(route, stoodMillis)),
                "");
    }

    /** On slow machines a chunk's trip takes long though nothing is wrong. */
    private long patienceMillis() {
        long tripMillis = TimeUnit.NANOSECONDS.toMillis(slowestNanos) * ticket.stages().size();
        return Math.max(stallMillis, PATIENCE_TRIPS * tripMillis);
    }

    private void commit(StageMessage.Token chosen, long nowNanos) {
        int position = chosen.position();
        int token = chosen.token();
        boolean first = !sawToken;
        if (first) {
            sawToken = true;
            firstTokenNanos = nowNanos;
        }
        lastTokenNanos = nowNanos;
        append(token);
        if (!chosen.embedding().isEmpty()) {
            sink.embedding(chosen.embedding());
        }
        int[] one = {token};
        if (vocabulary.endsGeneration(token)) {
            end(position, one, "", false);
            return;
        }
        String shown = text.accept(token);
        boolean full = known - promptLength >= mostTokens;
        if (text.stopped() || full) {
            tell();
            sink.chances(chosen.chances());
            end(position, one, shown, !text.stopped());
        } else {
            untold.add(new Untold(position, one, shown, chosen.chances()));
            if (first) {
                tell(); // the reader has waited long enough
            }
        }
    }

    /**
     * Tells the sink what was committed. Done when the next rows are on their way: while the reader
     * is told, the ring computes.
     */
    public void tell() {
        for (Untold next = untold.poll(); next != null; next = untold.poll()) {
            sink.chances(next.chances);
            sink.delta(next.position, next.tokens, next.text);
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // made here, handed to the sink, never compared
    private record Untold(int position, int[] tokens, String text, List<TokenChance> chances) {}

    private void append(int token) {
        if (known == tokens.length) {
            tokens = Arrays.copyOf(tokens, known + Math.max(16, known / 2));
        }
        tokens[known++] = token;
    }

    private void end(int position, int[] last, String shown, boolean length) {
        over = true;
        tell();
        String all = text.stopped() ? shown : shown + text.finish();
        if (last.length > 0 || !all.isEmpty()) {
            sink.delta(position, last, all);
        }
        long first = sawToken ? TimeUnit.NANOSECONDS.toMicros(firstTokenNanos - startedNanos) : 0;
        long decode = TimeUnit.NANOSECONDS.toMicros(lastTokenNanos - firstTokenNanos);
        sink.finished(
                new GenerationEnd(
                        length, promptLength, known - promptLength, first, decode, reused));
    }

    private void reportPrefill(int position) {
        int positions = Math.min(position, promptLength);
        if (positions > prefilled) {
            prefilled = positions;
            sink.prefilled(positions);
        }
    }

    private void moved(long nowNanos) {
        watch.moved(nowNanos);
        waits(nowNanos);
    }
}
