package coop.sahkar.worker.engine;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

/** Computes batches, one at a time, and sends what they made. */
final class BatchWork {
    private final Stage stage;
    private final Rows rows;
    private final SessionTable table;
    private final BatchRun batches;
    private final Delivery delivery;
    private final HeadDesk heads;
    private final StageMeter meter;
    private final LongSupplier nanoClock;
    private final BiConsumer<StageMessage, Long> own;
    private final BiConsumer<Slice, Exception> refused;
    private boolean lone;

    /**
     * @param own takes what a batch made for this very stage, and when
     * @param refused takes what could not be computed, and why
     */
    BatchWork(
            Stage stage,
            Rows rows,
            SessionTable table,
            BatchRun batches,
            Delivery delivery,
            HeadDesk heads,
            StageMeter meter,
            LongSupplier nanoClock,
            BiConsumer<StageMessage, Long> own,
            BiConsumer<Slice, Exception> refused) {
        this.stage = stage;
        this.rows = rows;
        this.table = table;
        this.batches = batches;
        this.delivery = delivery;
        this.heads = heads;
        this.meter = meter;
        this.nanoClock = nanoClock;
        this.own = own;
        this.refused = refused;
    }

    /** Computes one batch and sends what it made. */
    void compute() {
        List<Slice> slices = pick();
        long began = nanoClock.getAsLong();
        try {
            stage.compute(rows);
        } catch (StageException e) {
            refused(slices, e);
            return;
        }
        made(slices, nanoClock.getAsLong() - began);
    }

    /** Picks the rows of the next batch, and says whose they are. */
    List<Slice> pick() {
        return batches.pick(table.all());
    }

    /** The batch could not be computed. */
    void refused(List<Slice> slices, StageException why) {
        slices.forEach(slice -> refused.accept(slice, why));
    }

    /** Sends what a batch made that was computed, just now, for so long. */
    void made(List<Slice> slices, long nanos) {
        long done = nanoClock.getAsLong();
        for (Slice slice : slices) {
            meter.rowsAgain.addAndGet(slice.session().computed(slice));
        }
        List<StageMessage> forItself = delivery.send(slices, nanos, refused::accept);
        for (Slice slice : slices) {
            slice.session().touch(done);
            heads.tell(slice.session(), head -> head.computed(nanos));
        }
        lone = slices.size() == 1 && slices.getFirst().count() == 1;
        meter.batch(slices, done - nanos, done, nanoClock.getAsLong());
        heads.tellReaders();
        forItself.forEach(message -> own.accept(message, done));
    }

    /** Whether the last batch was one token of the only session; true once for each such batch. */
    boolean takeLone() {
        boolean was = lone && table.all().size() == 1;
        lone = false;
        return was;
    }
}
