package coop.sahkar.deploy.simulate;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.BatchPolicy;
import coop.sahkar.worker.engine.LoadedStage;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.SteppedEngine;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.Reroute;
import coop.sahkar.worker.head.Rerouting;
import coop.sahkar.worker.simulate.ArithmeticStage;
import coop.sahkar.worker.simulate.LetterVocabulary;
import java.util.concurrent.TimeUnit;

/**
 * A shard that serves: the production engine over a model made of arithmetic, on a processor that
 * takes its time. While a batch is computed, what comes waits in the mailbox.
 */
final class VirtualStage {
    private static final int MOST_ROWS = 128;
    private static final int MOST_SEQUENCES = 64;
    private static final long NANOS_PER_MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    /** So many rows of a prompt take as long as one token again. */
    private static final int ROWS_FOR_ONE = 16;

    private final VirtualWorker worker;
    private final VirtualShard shard;
    private final World world;
    private final ArithmeticStage model;
    private final SteppedEngine engine;
    private boolean computes;
    private long lookMillis = Long.MAX_VALUE;
    private boolean closed;

    VirtualStage(VirtualWorker worker, VirtualShard shard, World world) {
        this.worker = worker;
        this.shard = shard;
        this.world = world;
        int blocks = world.footprint(shard.key.modelId()).blockCount();
        this.model =
                new ArithmeticStage(
                        ArithmeticStage.shape(
                                shard.key.span(),
                                blocks,
                                shard.kvCells,
                                MOST_SEQUENCES,
                                MOST_ROWS));
        this.engine =
                new SteppedEngine(
                        new LoadedStage(model, new LetterVocabulary()),
                        (to, message) -> worker.ring().send(to, message),
                        world.scenario().engineLimits(),
                        worker.logs(),
                        BatchPolicy.DEFAULT,
                        rerouting(),
                        world::nowNanos);
    }

    private Rerouting rerouting() {
        return (newest, lost, why, answer) ->
                new RepairCall(
                                worker,
                                newest,
                                lost,
                                (Reroute reroute) -> {
                                    answer.accept(reroute);
                                    turn();
                                })
                        .askNext();
    }

    VirtualShard shard() {
        return shard;
    }

    ArithmeticStage model() {
        return model;
    }

    SteppedEngine engine() {
        return engine;
    }

    boolean offer(StageMessage message) {
        boolean taken = engine.offer(message);
        turn();
        return taken;
    }

    boolean start(GenerationStart start) {
        boolean taken = engine.start(start);
        turn();
        return taken;
    }

    void cancel(SessionId session, int epoch) {
        engine.cancel(session, epoch);
        turn();
    }

    void peerLost(String workerId, String why) {
        engine.peerLost(workerId, why);
        turn();
    }

    /** Has its sessions led elsewhere, where there is anywhere. */
    void leave() {
        engine.leave();
        turn();
    }

    void drain() {
        engine.drain();
        turn();
    }

    /** Ends in order: whoever still has a session here hears of it. */
    void close() {
        engine.close(
                Problem.of(Problem.Kind.WORKER_LOST, "The worker has stopped serving. Try again."));
        vanish();
    }

    /** Ends without a word. */
    void vanish() {
        world.tally().stage(engine.stats());
        closed = true;
        worker.ring().removed(this);
    }

    private void turn() {
        if (closed || computes || worker.asleep()) {
            return;
        }
        boolean ready = engine.take();
        world.invariants().sessions(worker.id, this);
        if (ready) {
            computes = true;
            long millis = batchMillis();
            worker.later(millis, () -> computed(millis));
            return;
        }
        if (engine.idle()) {
            worker.rests(shard);
        }
        long nanos = engine.idle() ? engine.idleNanos() : 0;
        if (nanos < Long.MAX_VALUE) {
            lookWithin(Math.max(SteppedEngine.TICK_MILLIS, nanos / NANOS_PER_MILLI + 1));
        }
    }

    /** Has it look at the time by then. */
    private void lookWithin(long millis) {
        long at = world.nowMillis() + millis;
        if (at >= lookMillis) {
            return;
        }
        lookMillis = at;
        worker.later(
                millis,
                () -> {
                    if (lookMillis == at) {
                        lookMillis = Long.MAX_VALUE;
                        turn();
                    }
                });
    }

    private long batchMillis() {
        int rows = Math.min(MOST_ROWS, engine.waitingRows());
        double micros = shard.decodeMicros * worker.slowness() * (1 + (double) rows / ROWS_FOR_ONE);
        return Math.max(1, Math.round(micros / 1000));
    }

    private void computed(long millis) {
        if (!closed) {
            computes = false;
            engine.compute(TimeUnit.MILLISECONDS.toNanos(millis));
            world.invariants().sessions(worker.id, this);
            turn();
        }
    }
}
