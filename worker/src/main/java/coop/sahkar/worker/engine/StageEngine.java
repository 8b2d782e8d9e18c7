package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.Rerouting;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A loaded shard at work. One platform thread loads it, owns it and closes it; everybody else talks
 * to it through its mailbox. It takes what waits there, computes one batch from the rows of all
 * sessions, sends what that made, and looks again; it sleeps only when there is nothing to compute.
 */
public final class StageEngine extends EngineInbox implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StageEngine.class);

    /** How often time is looked at: stalls, idle sessions, unanswered questions. */
    static final long TICK_MILLIS = 50;

    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS);

    /**
     * How often the way of a message is gone through meanwhile; it stays in caches about so long.
     */
    private static final long REHEARSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /** So that others who wait for this processor get it. */
    private static final int TURNS_BETWEEN_YIELDS = 16;

    /** With fewer processors, staying awake would take one from whoever computes. */
    private static final boolean MAY_WATCH = Runtime.getRuntime().availableProcessors() >= 4;

    private final String name;
    private final StageFactory factory;
    private final Links links;
    private final EngineLimits limits;
    private final LogRoom logs;
    private final BatchPolicy policy;
    private final EngineListener listener;
    private final LongSupplier nanoClock = System::nanoTime;
    private final StageMeter meter = new StageMeter();
    private final Rhythm rhythm = new Rhythm();
    private final CompletableFuture<StageShape> shape = new CompletableFuture<>();
    private final CompletableFuture<@Nullable Vocabulary> vocabulary = new CompletableFuture<>();
    private final Thread thread;

    /** Out of the mailbox and not looked at yet. The engine's thread only. */
    private final ArrayDeque<Inbound> taken = new ArrayDeque<>();

    /** Whether it has waited awake for the message that it looks for. The engine's thread only. */
    private boolean awake;

    private long mailNanos;

    private volatile EngineState state = EngineState.LOADING;
    private volatile boolean attentive;

    /**
     * Prepares an engine; {@link #launch} sets it to work.
     *
     * @param name for the thread and the log
     * @param factory loads the shard, on the engine's thread
     * @param links the way to other stages
     * @param logs where it keeps what it has sent
     * @param listener hears of the engine's state
     * @param rerouting where a head asks for other routes
     */
    public StageEngine(
            String name,
            StageFactory factory,
            Links links,
            EngineLimits limits,
            LogRoom logs,
            BatchPolicy policy,
            EngineListener listener,
            Rerouting rerouting) {
        super(limits, rerouting);
        this.name = name;
        this.factory = factory;
        this.links = links;
        this.limits = limits;
        this.logs = logs;
        this.policy = policy;
        this.listener = listener;
        this.thread = Thread.ofPlatform().name("stage-" + name).daemon(true).unstarted(this::run);
    }

    /** Starts the thread, which loads the shard and then serves. Once. */
    public void launch() {
        thread.start();
    }

    /**
     * The shard's shape, once it is loaded; completes exceptionally with a {@link StageException}
     * if it cannot be loaded.
     */
    public CompletableFuture<StageShape> shape() {
        return shape.copy();
    }

    /** The model's tokens, once the shard is loaded; null in it unless the stage is a head. */
    public CompletableFuture<@Nullable Vocabulary> vocabulary() {
        return vocabulary.copy();
    }

    @Override
    public boolean offer(StageMessage message) {
        return switch (mailbox.offer(new Inbound.FromPeer(message, nanoClock.getAsLong()))) {
            case TAKEN -> true;
            case FULL -> false;
            case CLOSED -> {
                // Holding the peer up would help nobody: the session is gone with the engine.
                meter.dropped.incrementAndGet();
                yield true;
            }
        };
    }

    public EngineState state() {
        return state;
    }

    /** How the stage fares now; all zero until it is loaded. */
    public StageStats stats() {
        boolean loaded = shape.isDone() && !shape.isCompletedExceptionally();
        int cells = loaded ? shape.join().kvCells() : 0;
        return meter.read(cells, mailbox.queuedRows(), nanoClock.getAsLong());
    }

    /**
     * Fails what still runs with a sentence, frees the shard and waits for that, but no longer than
     * {@link EngineLimits#closeMillis}.
     */
    @Override
    public void close() {
        mailbox.put(new Inbound.Stop());
        if (thread == Thread.currentThread() || thread.getState() == Thread.State.NEW) {
            return;
        }
        try {
            if (!thread.join(Duration.ofMillis(limits.closeMillis()))) {
                LOG.warn("{}: still computing after {} ms", name, limits.closeMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        EngineState end = EngineState.STOPPED;
        String why = "";
        try {
            enter(EngineState.LOADING, "");
            LoadedStage loaded = factory.open();
            try (Stage stage = loaded.stage()) {
                vocabulary.complete(loaded.vocabulary());
                shape.complete(stage.shape());
                serve(loaded);
            }
        } catch (StageException e) {
            end = EngineState.FAILED;
            why = String.valueOf(e.getMessage());
            notLoaded(e);
        } catch (InterruptedException e) {
            LOG.info("{}: interrupted, ends", name);
        } catch (Throwable e) { // one place for every fault of ours, whatever it is
            LOG.error("{}: the engine failed", name, e);
            end = EngineState.FAILED;
            why = "The stage engine met a fault of ours: " + e + ". See the worker's log.";
            notLoaded(e);
        }
        refuseTheRest(end);
        enter(end, why);
    }

    private void notLoaded(Throwable why) {
        shape.completeExceptionally(why);
        vocabulary.completeExceptionally(why);
    }

    private void serve(LoadedStage loaded) throws InterruptedException {
        try (Arena arena = Arena.ofConfined()) {
            StageShape size = loaded.stage().shape();
            Rows rows = new Rows(arena, size.maxRows(), size.width());
            StageCore core =
                    new StageCore(
                            loaded, rows, links, limits, logs, policy, meter, nanoClock, this::ask);
            enter(EngineState.SERVING, "");
            Problem stopped =
                    Problem.of(
                            Problem.Kind.WORKER_LOST,
                            "The worker has stopped serving " + name + ". Try again.");
            try {
                loop(core, new Foresight(core, loaded.stage(), rows, mailbox));
            } finally {
                failAll(core, stopped);
            }
        }
    }

    private void failAll(StageCore core, Problem problem) {
        try {
            core.failAll(problem);
        } catch (RuntimeException e) {
            // Not to hide the fault that brought the engine here.
            LOG.error("{}: some sessions could not be told of the end", name, e);
        }
    }

    private void loop(StageCore core, Foresight foresight) throws InterruptedException {
        long ticked = nanoClock.getAsLong();
        while (true) {
            if (!watch(core, foresight) && !takeMail(core)) {
                return;
            }
            long now = nanoClock.getAsLong();
            if (now - ticked >= TICK_NANOS) {
                ticked = now;
                core.tick();
            }
            if (core.ready()) {
                rhythm.computes(now);
                core.work().compute();
            } else {
                core.rest();
            }
        }
    }

    /** Takes all that waits, and waits for it first if there is nothing to do; false at the end. */
    private boolean takeMail(StageCore core) throws InterruptedException {
        long wait = core.ready() ? 0 : core.sessions().isEmpty() ? core.idleNanos() : TICK_NANOS;
        taken.addAll(mailbox.take(core.waitingRows(), wait));
        while (!taken.isEmpty()) {
            if (!accept(core, taken.removeFirst())) {
                return false;
            }
        }
        return true;
    }

    /**
     * While the tokens of one session follow each other closely, looks for the next one instead of
     * sleeping: to wake takes longer than all else between two stages, and a processor that slept
     * computes slower for a while.
     *
     * @return whether the next one came and was computed
     */
    private boolean watch(StageCore core, Foresight foresight) {
        long began = nanoClock.getAsLong();
        boolean waits = MAY_WATCH && !core.ready() && core.work().takeLone();
        if (waits) {
            rhythm.waits(began);
        }
        if (!waits || !rhythm.close()) {
            if (attentive) {
                sleepsFromNow();
            }
            return false;
        }
        attentive = true;
        awake = false;
        if (mailbox.empty() && foresight.begin(() -> awaitMail(began))) {
            rhythm.computes(mailNanos);
            return true;
        }
        if (!awake) {
            var _ = awaitMail(began);
        }
        return false;
    }

    /** Waits awake, but not for ever; false if nothing came: it sleeps from now on. */
    @SuppressWarnings("ThreadPriorityCheck") // lets whoever computes have the processor
    private boolean awaitMail(long began) {
        awake = true;
        if (mailbox.empty()) {
            links.rehearse();
        }
        mailNanos = began;
        long rehearsed = began;
        for (int turn = 1; mailbox.empty(); turn++) {
            mailNanos = nanoClock.getAsLong();
            if (mailNanos - began > Rhythm.MOST_NANOS) {
                sleepsFromNow();
                return false;
            }
            if (mailNanos - rehearsed > REHEARSE_NANOS) {
                links.rehearse();
                rehearsed = mailNanos;
            }
            if (!links.poll(this)) {
                if (turn % TURNS_BETWEEN_YIELDS == 0) {
                    Thread.yield();
                } else {
                    Thread.onSpinWait();
                }
            }
        }
        return true;
    }

    private void sleepsFromNow() {
        attentive = false;
        links.rest(this);
    }

    @Override
    public boolean attentive() {
        return attentive;
    }

    private boolean accept(StageCore core, Inbound inbound) {
        inbound.handTo(core);
        if (inbound instanceof Inbound.Drain) {
            enter(EngineState.DRAINING, "");
        }
        return !(inbound instanceof Inbound.Stop);
    }

    private void refuseTheRest(EngineState end) {
        Problem problem =
                Problem.of(
                        Problem.Kind.WORKER_LOST,
                        "The worker does not serve %s (%s). Try again.".formatted(name, end));
        taken.addAll(mailbox.close());
        for (Inbound inbound : taken) {
            if (inbound instanceof Inbound.Start(GenerationStart generation)) {
                HeadDesk.refuse(generation.sink(), problem, "");
            }
        }
    }

    private void enter(EngineState next, String explanation) {
        state = next;
        try {
            listener.changed(next, explanation);
        } catch (RuntimeException e) {
            LOG.error("{}: its listener threw at {}", name, next, e);
        }
    }
}
