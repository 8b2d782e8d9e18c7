package coop.sahkar.worker.engine;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Open;
import coop.sahkar.worker.head.Chunk;
import coop.sahkar.worker.head.GenerationSink;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.HeadGeneration;
import coop.sahkar.worker.head.PastTurn;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the engine and its generations meet: checks what is to be started, and keeps a fault in one
 * generation's sink from reaching the others.
 */
final class HeadDesk {
    private static final Logger LOG = LoggerFactory.getLogger(HeadDesk.class);

    private static final ByteBuffer NO_HIDDEN = ByteBuffer.allocate(0).asReadOnlyBuffer();

    private final @Nullable Vocabulary vocabulary;
    private final BatchPolicy policy;
    private final EngineLimits limits;

    /** Bounded by the open sessions: each has one token under way. */
    private final Queue<StageSession> toTell = new ArrayDeque<>();

    HeadDesk(@Nullable Vocabulary vocabulary, BatchPolicy policy, EngineLimits limits) {
        this.vocabulary = vocabulary;
        this.policy = policy;
        this.limits = limits;
    }

    /** What is wrong with a generation; null if nothing is. */
    @Nullable Problem fault(GenerationStart start, StageShape shape) {
        Ticket ticket = start.ticket().ticket();
        if (vocabulary == null || !Admission.serves(ticket, 0, shape)) {
            return Problem.of(
                    Problem.Kind.PROTOCOL,
                    "The route begins with blocks %s of %d; this worker holds %s of %d."
                            .formatted(
                                    ticket.head().span(),
                                    ticket.blockCount(),
                                    shape.span(),
                                    shape.blockCount()));
        }
        if (start.prompt().length == 0 || start.maxTokens() < 1) {
            return Problem.of(
                    Problem.Kind.INVALID_REQUEST,
                    "A generation needs at least one token of prompt and one to generate.");
        }
        int length = start.prompt().length + start.committed().length;
        if (start.prompt().length >= ticket.maxPositions() || length > ticket.maxPositions()) {
            return Problem.of(
                    Problem.Kind.CONTEXT_LENGTH_EXCEEDED,
                    "The prompt has %d tokens; together with the answer %d are allowed."
                            .formatted(start.prompt().length, ticket.maxPositions()));
        }
        int size = vocabulary.size();
        if (IntStream.concat(Arrays.stream(start.prompt()), Arrays.stream(start.committed()))
                .anyMatch(token -> token < 0 || token >= size)) {
            return Problem.of(
                    Problem.Kind.INVALID_REQUEST,
                    "A token is not in the vocabulary, which has %d.".formatted(size));
        }
        return null;
    }

    /**
     * Sets a generation up that {@link #fault} has nothing against.
     *
     * @param held positions that the head's stage has kept of it
     */
    HeadGeneration generation(GenerationStart start, int held, long nowNanos) {
        if (vocabulary == null) {
            throw new IllegalStateException("a generation on a stage without a vocabulary");
        }
        int stages = start.ticket().ticket().stages().size();
        int rows = start.prompt().length + start.committed().length - held;
        HeadGeneration generation =
                new HeadGeneration(
                        start,
                        vocabulary,
                        policy.chunkRows(rows, stages),
                        policy.chunksInFlight(stages),
                        limits.stallMillis(),
                        nowNanos);
        generation.begins(held);
        return generation;
    }

    /** The problem with going over from a session that runs here, if it is not an older one. */
    @Nullable Problem older(StageSession known, Ticket ticket) {
        return ticket.epoch() > known.epoch()
                ? null
                : Problem.of(
                        Problem.Kind.PROTOCOL,
                        "Session %s already runs here on route %d."
                                .formatted(ticket.session(), known.epoch()));
    }

    /** Where the same turn went on here after its reader was lost, it goes on behind that. */
    static GenerationStart goingOn(GenerationStart start, @Nullable StageSession known) {
        PastTurn past = known == null || known.turn() != start.turn() ? null : known.past();
        return past == null ? start : start.goingOn(past);
    }

    /**
     * How a generation's route is opened. Where another head takes it over, all positions but the
     * last are what they were, unless it is seen here that they are not. Where it is the chat's
     * next turn, those are that are seen here to be.
     */
    Open opening(GenerationStart start, @Nullable StageSession known) {
        int turn = start.turn();
        int most = start.prompt().length + start.committed().length - 1;
        boolean begins = start.ticket().ticket().epoch() == turn;
        PastTurn before = known == null ? null : known.past();
        Keep keep = new Keep(turn, begins ? 0 : most, 0, 0);
        if (known != null && before != null) {
            int common = Math.min(most, before.common(start));
            keep =
                    known.turn() == turn
                            ? keep.with(common)
                            : new Keep(turn, keep.positions(), known.turn(), common);
        }
        return new Open(start.ticket(), 0, start.sampling(), keep);
    }

    /** What a generation feeds into its own stage. */
    static Frame frame(StageSession session, Chunk chunk) {
        return new Frame(
                session.id(),
                session.epoch(),
                chunk.firstPosition(),
                chunk.tokens(),
                chunk.wantToken(),
                HiddenCodec.F32,
                NO_HIDDEN);
    }

    /** Tells a sink that its generation will not run. */
    static void refuse(GenerationSink sink, Problem problem, String workerId) {
        try {
            sink.failed(problem, workerId);
        } catch (RuntimeException e) {
            LOG.error("a generation's sink threw while it was refused", e);
        }
    }

    /** A session's generation has something to tell its reader, when there is time. */
    void tellLater(StageSession session) {
        toTell.add(session);
    }

    /** Lets generations tell their readers what they have committed. */
    void tellReaders() {
        for (StageSession next = toTell.poll(); next != null; next = toTell.poll()) {
            tell(next, HeadGeneration::tell);
        }
    }

    /** Says a word to a session's generation; if its sink throws, that generation is over. */
    void tell(StageSession session, Consumer<HeadGeneration> word) {
        HeadGeneration generation = session.generation();
        if (generation == null) {
            return;
        }
        try {
            word.accept(generation);
        } catch (RuntimeException e) {
            LOG.error("session {}: its sink threw; the generation is given up", session.id(), e);
            generation.cancel();
        }
    }
}
