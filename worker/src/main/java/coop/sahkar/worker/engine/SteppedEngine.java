package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.head.Rerouting;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A {@link StageEngine} without its thread: the same mailbox and the same core, and a caller that
 * decides when they get their turn, in whatever time it keeps. For simulations; not safe for use by
 * several threads.
 */
public final class SteppedEngine extends EngineInbox {
    /** How often time is looked at while there are sessions, as in {@link StageEngine}. */
    public static final long TICK_MILLIS = StageEngine.TICK_MILLIS;

    private final StageMeter meter = new StageMeter();
    private final StageShape shape;
    private final LongSupplier nanoClock;
    private final StageCore core;
    private long computesNanos;
    private long tickedNanos;

    /**
     * One session as it lies in the stage.
     *
     * @param session the session
     * @param epoch number of its route
     * @param sequence the KV sequence it owns
     * @param held positions in the KV
     * @param end those and the ones that wait
     * @param maxPositions positions reserved for it
     * @param logBytes what its boundary log keeps
     */
    public record SessionLook(
            SessionId session,
            int epoch,
            int sequence,
            int held,
            int end,
            int maxPositions,
            long logBytes) {
        /** Whether its KV is not in the cache: it rests, or goes to another worker. */
        public boolean outside() {
            return sequence == SessionKv.NONE;
        }
    }

    /** A stage that computes in as much time as {@link #compute} is told. */
    private final class Paced implements Stage {
        private final Stage stage;

        Paced(Stage stage) {
            this.stage = stage;
        }

        @Override
        public StageShape shape() {
            return stage.shape();
        }

        @Override
        public void compute(Rows rows) throws StageException {
            computesNanos = 0;
            stage.compute(rows);
        }

        @Override
        public MemorySegment hiddenStates() {
            return stage.hiddenStates();
        }

        @Override
        public MemorySegment logits(int row) {
            return stage.logits(row);
        }

        @Override
        public MemorySegment normed(int row) {
            return stage.normed(row);
        }

        @Override
        public void truncate(int sequence, int position) {
            stage.truncate(sequence, position);
        }

        @Override
        public void copyPrefix(int from, int to, int end) {
            stage.copyPrefix(from, to, end);
        }

        @Override
        public @Nullable ParkedKv park(int sequence, long mostBytes) {
            return stage.park(sequence, mostBytes);
        }

        @Override
        public boolean unpark(ParkedKv parked, int sequence) {
            return stage.unpark(parked, sequence);
        }

        @Override
        public String kvFormat() {
            return stage.kvFormat();
        }

        @Override
        public @Nullable ParkedKv adopt(int positions, List<ByteBuffer> pieces) {
            return stage.adopt(positions, pieces);
        }

        @Override
        public TokenSampler sampler(Sampling sampling) {
            return stage.sampler(sampling);
        }

        @Override
        public void close() {
            stage.close();
        }
    }

    /**
     * An engine with no sessions.
     *
     * @param loaded the shard
     * @param links the way to other stages
     * @param logs what the boundary logs of its worker share
     * @param rerouting where a head asks for other routes
     * @param nanoClock the time
     */
    public SteppedEngine(
            LoadedStage loaded,
            Links links,
            EngineLimits limits,
            LogRoom logs,
            BatchPolicy policy,
            Rerouting rerouting,
            LongSupplier nanoClock) {
        super(limits, rerouting);
        this.shape = loaded.stage().shape();
        this.nanoClock = nanoClock;
        this.tickedNanos = nanoClock.getAsLong();
        Rows rows = new Rows(Arena.ofAuto(), shape.maxRows(), shape.width());
        this.core =
                new StageCore(
                        new LoadedStage(new Paced(loaded.stage()), loaded.vocabulary()),
                        rows,
                        links,
                        limits,
                        logs,
                        policy,
                        meter,
                        () -> nanoClock.getAsLong() - computesNanos,
                        this::ask);
    }

    @Override
    public boolean offer(StageMessage message) {
        return mailbox.offer(new Inbound.FromPeer(message, nanoClock.getAsLong()))
                == Mailbox.Offer.TAKEN;
    }

    /**
     * Takes in what has come and looks at the time if that is due.
     *
     * @return whether a batch can be computed now
     */
    public boolean take() {
        try {
            mailbox.take(core.waitingRows(), 0).forEach(inbound -> inbound.handTo(core));
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody waits here", e);
        }
        long now = nanoClock.getAsLong();
        if (now - tickedNanos >= TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS)) {
            tickedNanos = now;
            core.tick();
        }
        if (!core.ready()) {
            core.rest();
            return false;
        }
        return true;
    }

    /** Computes one batch that was begun so long ago, and sends what it made. */
    public void compute(long nanos) {
        computesNanos = nanos;
        core.work().compute();
        computesNanos = 0;
    }

    /** Fails what still runs with a sentence. */
    public void close(Problem problem) {
        core.failAll(problem);
        mailbox.close();
    }

    /** Rows that wait to be computed. */
    public int waitingRows() {
        return core.waitingRows();
    }

    /** The sessions that are open. */
    public List<SessionLook> sessions() {
        return core.sessions().stream().map(SteppedEngine::look).toList();
    }

    /** The sessions that rest. */
    public List<SessionLook> resting() {
        return core.resting().stream().map(SteppedEngine::look).toList();
    }

    /**
     * With no session open: how long until one that rests is given up; the longest time if none.
     */
    public long idleNanos() {
        return core.idleNanos();
    }

    /** Whether no session is open. */
    public boolean idle() {
        return meter.sessions.get() == 0;
    }

    /** How the stage fares. */
    public StageStats stats() {
        return meter.read(shape.kvCells(), mailbox.queuedRows(), nanoClock.getAsLong());
    }

    private static SessionLook look(StageSession session) {
        BoundaryLog log = session.log();
        return new SessionLook(
                session.id(),
                session.epoch(),
                session.kv().sequence(),
                session.held(),
                session.end(),
                session.ticket().maxPositions(),
                log == null ? 0 : log.bytes());
    }
}
