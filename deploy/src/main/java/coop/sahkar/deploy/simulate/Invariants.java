package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.placement.PoolSight;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.Outcome;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Transition;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.StageShape;
import coop.sahkar.worker.engine.SteppedEngine.SessionLook;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** What must be true whatever happens. Each check says in a sentence what is not. */
final class Invariants {
    private static final int MOST_SHARDS_PER_WORKER = 4096;

    private final BookKeeping books = new BookKeeping();

    /** What must be true of the ledger. */
    BookKeeping books() {
        return books;
    }

    /** A command was applied to what was committed before. */
    void applied(PoolState before, Command command, Outcome outcome) {
        books.applied(before, command, outcome);
        PoolState after = outcome.state();
        long was = before.placement().generation();
        long is = after.placement().generation();
        boolean adopts = command instanceof AdoptPlacement && outcome.refusal() == null;
        require(is == (adopts ? was + 1 : was), "placement %d followed %d", is, was);
        require(
                after.recent().size() <= Transition.MAX_RECENT,
                "%d commands are remembered",
                after.recent().size());
        require(
                after.workers().size() <= Transition.MAX_WORKERS,
                "%d workers are known",
                after.workers().size());
    }

    /** The same command came a second time. */
    void repeated(PoolState state, Outcome first, Outcome second) {
        require(second.state().equals(state), "a command that came twice changed the state twice");
        require(
                String.valueOf(first.refusal()).equals(String.valueOf(second.refusal())),
                "a command that came twice was answered differently");
    }

    /** Another coordinator applied the same command. */
    void sameEverywhere(String coordinator, PoolState expected, PoolState actual) {
        require(expected.equals(actual), "%s came to another state from the same log", coordinator);
    }

    /** A coordinator read its state from its disk. */
    void recovered(PoolState written, PoolState read) {
        require(written.equals(read), "a state that was written was read otherwise");
    }

    /** A coordinator's plan was adopted. */
    void adopted(PoolSight sight, Placement next) {
        next.assignments().forEach((worker, shards) -> fits(sight.state(), worker, shards));
        new MakeBeforeBreak(sight, next).check();
    }

    private static void fits(PoolState state, String worker, List<AssignedShard> shards) {
        WorkerRecord record = state.workers().get(worker);
        require(record != null, "worker %s is placed and not known", worker);
        long bytes = 0;
        for (AssignedShard shard : shards) {
            ModelRecord model = state.models().get(shard.modelId());
            if (model == null) {
                throw new Violation("a part of no model is placed: " + shard);
            }
            ModelFootprint footprint = model.footprint();
            bytes += footprint.memoryBytes(shard.span(), shard.kvCells());
        }
        require(
                record != null && bytes <= record.memoryBytes(),
                "worker %s is to hold %d bytes, more than it lends",
                worker,
                bytes);
    }

    /** A worker acted on what it was told. */
    void reconciled(VirtualWorker worker) {
        require(
                worker.desired().generation() >= worker.newestHeard(),
                "%s acts on placement %d though it was told of %d",
                worker.id,
                worker.desired().generation(),
                worker.newestHeard());
        long bytes = 0;
        for (VirtualShard shard : worker.shards()) {
            boolean inMemory =
                    switch (shard.phase) {
                        case FETCHING, FETCHED, FAILED -> false;
                        case LOADING, LOADED, SERVING, DRAINING, DRAINED -> true;
                    };
            bytes += inMemory ? shard.memoryBytes : 0;
        }
        require(
                bytes <= worker.hardware.memoryBytes(),
                "%s holds %d bytes, more than it lends",
                worker.id,
                bytes);
        require(
                worker.shards().size() <= MOST_SHARDS_PER_WORKER,
                "%s has %d shards",
                worker.id,
                worker.shards().size());
    }

    /** Everything that can be counted anew. */
    void everything(World world) {
        for (VirtualWorker worker : world.workers()) {
            logs(worker, world.scenario().logBytes());
            require(
                    worker.held() <= ControlPath.MOST_HELD,
                    "%d messages wait for %s",
                    worker.held(),
                    worker.id);
        }
        require(
                world.ring().mostWaiting() <= VirtualLink.MOST_WAITING,
                "%d messages wait on a link",
                world.ring().mostWaiting());
        for (String model : world.log().newest().models().keySet()) {
            SortedMap<Span, Integer> counted = new TreeMap<>();
            for (VirtualWorker worker : world.workers()) {
                if (worker.takesPart()) {
                    worker.shards().stream()
                            .filter(s -> s.serving() && s.key.modelId().equals(model))
                            .forEach(s -> counted.merge(s.key.span(), 1, Integer::sum));
                }
            }
            require(
                    counted.equals(world.coverage().serving(model)),
                    "the simulation counts wrongly who serves %s",
                    model);
        }
    }

    private static void logs(VirtualWorker worker, long most) {
        long logged = 0;
        for (VirtualStage stage : worker.stages()) {
            for (SessionLook session : stage.engine().sessions()) {
                logged += session.logBytes();
            }
        }
        require(logged <= most, "the boundary logs of %s have %d bytes", worker.id, logged);
    }

    /** A stage has taken messages in, or computed: nothing in it may belong to two. */
    void sessions(String workerId, VirtualStage stage) {
        StageShape shape = stage.model().shape();
        Set<Integer> sequences = new TreeSet<>();
        int held = 0;
        int reserved = 0;
        List<SessionLook> sessions = stage.engine().sessions();
        for (SessionLook session : sessions) {
            reserved += session.maxPositions();
            if (session.outside()) {
                continue; // on its way to another worker
            }
            held += inCache(workerId, stage, session, sequences);
        }
        for (SessionLook rests : stage.engine().resting()) {
            held += rests.outside() ? 0 : inCache(workerId, stage, rests, sequences);
        }
        require(
                stage.model().usedCells() == held && reserved <= shape.kvCells(),
                "on %s %d positions lie in the KV, its sessions hold %d and have reserved %d of %d",
                workerId,
                stage.model().usedCells(),
                held,
                reserved,
                shape.kvCells());
        require(
                stage.model().openSamplers() <= sessions.size(),
                "on %s %d samplers are open for %d sessions",
                workerId,
                stage.model().openSamplers(),
                sessions.size());
    }

    /** The positions of a session that has a sequence of the cache, and has it alone. */
    private static int inCache(
            String workerId, VirtualStage stage, SessionLook session, Set<Integer> sequences) {
        boolean alone = sequences.add(session.sequence());
        int cells = stage.model().cells(session.sequence());
        require(
                alone && cells == session.held() && session.end() <= session.maxPositions(),
                "on %s session %s says that it holds %d positions and %d wait; the KV has %d",
                workerId,
                session.session(),
                session.held(),
                session.end() - session.held(),
                cells);
        return session.held();
    }

    /** The world has healed and all answers have ended: nothing of them may be left. */
    void released(VirtualStage stage) {
        require(
                stage.engine().idle()
                        && stage.model().usedCells() == 0
                        && stage.model().parked() == 0
                        && stage.engine().stats().kvReserved() == 0
                        && stage.engine().waitingRows() == 0
                        && stage.model().openSamplers() == 0,
                "%s is left with sessions %s, though all answers have ended",
                stage.shard().named(),
                stage.engine().sessions());
    }

    @SuppressWarnings({"FormatStringAnnotation", "AnnotateFormatMethod"})
    private static void require(boolean holds, String sentence, Object... values) {
        if (!holds) {
            throw new Violation(sentence.formatted(values));
        }
    }
}
