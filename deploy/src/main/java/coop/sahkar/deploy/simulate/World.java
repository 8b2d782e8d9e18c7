package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.Command.SetPolicy;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.governance.Policy;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Everything there is in one simulated pool, and its course from beginning to end. */
final class World {
    private static final long START_MILLIS = 1_000_000;
    private static final long SECOND = 1000;
    private static final long ANSWERS_END_MILLIS = TimeUnit.MINUTES.toMillis(15);
    private static final int CHECK_EVERY_MILLIS = 30_000;

    private final Scenario scenario;
    private final Supplier<Planning> planning;
    private final Agenda agenda = new Agenda(START_MILLIS);
    private final Trace trace;
    private final Tally tally = new Tally();
    private final Invariants invariants = new Invariants();
    private final Coverage coverage;
    private final VirtualLog log;
    private final Answers answers;
    private final VirtualRing ring;
    private final Troubles troubles;
    private final GapWatch gapWatch;
    private final Chance joining;
    private final Chance asking;
    private final List<VirtualCoordinator> coordinators = new ArrayList<>();
    private final SortedMap<String, VirtualWorker> byId = new TreeMap<>();
    private final List<VirtualWorker> workers = new ArrayList<>();
    private final List<String> models = new ArrayList<>();
    private int joined;
    private @Nullable Violation broken;

    World(
            Scenario scenario,
            Consumer<String> reader,
            Supplier<Planning> planning,
            Carrier carrier) {
        this.planning = planning;
        Chance chance = new Chance(scenario.seed() * 0x9E3779B97F4A7C15L + 1);
        this.scenario = scenario;
        this.trace = new Trace(agenda, reader);
        this.coverage = new Coverage(agenda, trace);
        boolean replay = scenario.checksEveryEvent();
        Chance forUsage = new Chance(scenario.seed() * 0x9E3779B97F4A7C15L + 2);
        this.log =
                new VirtualLog(agenda, chance.split(), forUsage.split(), trace, invariants, replay);
        this.answers = new Answers(this, chance.split());
        this.ring = new VirtualRing(this, carrier, chance.split());
        this.troubles = new Troubles(this, chance.split());
        this.gapWatch = new GapWatch(this);
        this.joining = chance.split();
        this.asking = chance.split();
        for (int i = 1; i <= scenario.coordinators(); i++) {
            String id = "coordinator-" + i;
            VirtualLog.Replica replica = log.replica(id);
            VirtualBooks books = new VirtualBooks(id, this, replica, forUsage.split());
            coordinators.add(new VirtualCoordinator(id, this, replica, books, chance.split()));
        }
        for (int i = 0; i < scenario.models(); i++) {
            ModelManifest manifest = SimulatedModels.draw(i, chance);
            agenda.after(3 * SECOND + chance.below(10_000), () -> publish(manifest, chance));
        }
    }

    /** Lets everything happen; throws where something must not be. */
    void run() {
        coordinators.forEach(VirtualCoordinator::start);
        agenda.after(3 * SECOND, () -> setPolicy(scenario.policy()));
        for (int i = 0; i < scenario.workers(); i++) {
            join(4 * SECOND + joining.below(15_000));
        }
        agenda.every(SECOND, gapWatch::look);
        agenda.every(SECOND, this::reckon);
        agenda.after(40 * SECOND, troubles::start);
        if (scenario.generationsPerSecond() > 0) {
            nextQuestion();
        }
        long troubleEnds = START_MILLIS + scenario.troubleMillis();
        runUntil(troubleEnds);
        trace.say("world", "heals");
        troubles.heal();
        disturbedAll();
        runUntil(troubleEnds + scenario.healMillis() / 2);
        gapWatch.expectRest();
        runUntil(troubleEnds + scenario.healMillis());
        invariants.everything(this);
        gapWatch.demandRest();
        demandEnds();
        gapWatch.demandCovered();
        demandAnswers();
        demandEnds();
        runUntil(agenda.nowMillis() + 2 * scenario.engineLimits().idleMillis());
        workers.forEach(worker -> worker.stages().forEach(invariants::released));
        coordinators.stream()
                .filter(VirtualCoordinator::up)
                .forEach(coordinator -> coordinator.books().settle());
    }

    /** Every answer ends and every gap is closed, be it on slow workers. */
    private void demandEnds() {
        long latestMillis = agenda.nowMillis() + ANSWERS_END_MILLIS;
        while (!answers.running().isEmpty() || gapWatch.closing()) {
            if (agenda.nowMillis() >= latestMillis) {
                throw new Violation(
                        "the world has healed, gaps are in %s, and %d answers neither end nor fail: %s"
                                .formatted(
                                        coverage.gaps(),
                                        answers.running().size(),
                                        answers.running().stream().map(Answer::id).toList()));
            }
            runUntil(agenda.nowMillis() + 5 * SECOND);
        }
    }

    /** The world has healed: whoever asks a model that is covered must get an answer. */
    private void demandAnswers() {
        List<String> gaps = coverage.gaps();
        models.stream().filter(model -> !gaps.contains(model)).forEach(answers::demand);
    }

    private void runUntil(long endMillis) {
        long nextCheck = agenda.nowMillis() + CHECK_EVERY_MILLIS;
        long checked = 0;
        while (agenda.step(endMillis)) {
            if (broken != null) {
                throw broken;
            }
            long changes = trace.said();
            boolean often = scenario.checksEveryEvent() && changes != checked;
            if (often || agenda.nowMillis() >= nextCheck) {
                invariants.everything(this);
                nextCheck = agenda.nowMillis() + CHECK_EVERY_MILLIS;
                checked = changes;
            }
        }
    }

    private void reckon() {
        double bytesPerSecond = 0;
        for (VirtualWorker worker : workers) {
            bytesPerSecond += worker.takesPart() ? worker.hardware.bytesPerSecond() : 0;
        }
        double bytesPerToken =
                models.stream()
                        .map(this::footprint)
                        .mapToLong(f -> f.decodeBytes(new Span(0, f.blockCount())))
                        .average()
                        .orElse(0);
        if (bytesPerToken > 0) {
            tally.possible(bytesPerSecond / bytesPerToken);
        }
    }

    private void nextQuestion() {
        agenda.after(
                asking.untilNext(scenario.generationsPerSecond()),
                () -> {
                    if (!models.isEmpty() && asks()) {
                        answers.ask(asking.pick(models));
                    }
                    if (asks()) {
                        nextQuestion();
                    }
                });
    }

    /** Whether readers still ask of their own accord. */
    boolean asks() {
        long end = START_MILLIS + scenario.troubleMillis() + scenario.healMillis() / 4;
        return agenda.nowMillis() < end;
    }

    /** Counts what is still there as what has gone was counted. */
    void countUp() {
        workers.forEach(VirtualWorker::countUp);
    }

    private void setPolicy(Policy policy) {
        VirtualCoordinator coordinator = anyCoordinator(joining);
        try {
            if (coordinator != null) {
                var _ = coordinator.log().propose(new SetPolicy(policy));
                return;
            }
        } catch (LogUnavailableException e) {
            trace.say("world", "waits for a leader");
        }
        agenda.after(SECOND, () -> setPolicy(policy));
    }

    private void publish(ModelManifest manifest, Chance chance) {
        VirtualCoordinator coordinator = anyCoordinator(chance);
        try {
            if (coordinator != null) {
                int minStages = chance.happens(0.3) ? 1 + chance.below(4) : 0;
                PublishModel command =
                        new PublishModel(
                                manifest,
                                List.of("https://models.test/" + manifest.name()),
                                minStages,
                                nowMillis());
                coverage.publish(manifest.id(), manifest.blockCount());
                var refusal = coordinator.log().propose(command);
                if (refusal.isPresent()) {
                    throw new Violation("a model is refused: " + refusal.get().message());
                }
                models.add(manifest.id());
                trace.say(manifest.name(), "is published");
                return;
            }
        } catch (LogUnavailableException e) {
            trace.say(manifest.name(), "cannot be published yet");
        }
        agenda.after(SECOND, () -> publish(manifest, chance));
    }

    /** A worker that was never there before starts after so many milliseconds. */
    void join(long afterMillis) {
        String digits = Integer.toString(100_000 + joined++).substring(1);
        Hardware hardware = Hardware.draw(joining);
        VirtualWorker worker = new VirtualWorker("w" + digits, hardware, this, joining.split());
        for (VirtualCoordinator coordinator : coordinators) {
            worker.control().add(new ControlPath(worker, coordinator, agenda, joining.split()));
        }
        agenda.after(
                afterMillis,
                () -> {
                    byId.put(worker.id, worker);
                    workers.add(worker);
                    trace.say(
                            worker.id, "joins with " + hardware.memoryBytes() / 1_000_000 + " MB");
                    worker.start();
                });
    }

    void remove(VirtualWorker worker) {
        byId.remove(worker.id);
        workers.remove(worker);
        if (worker.up()) {
            worker.crash(true);
        }
        ring.forget(worker);
    }

    boolean has(VirtualWorker worker) {
        return byId.get(worker.id) == worker;
    }

    @Nullable VirtualWorker worker(String id) {
        return byId.get(id);
    }

    @Nullable VirtualWorker anyWorker(Chance chance) {
        return workers.isEmpty() ? null : chance.pick(workers);
    }

    @Nullable VirtualCoordinator anyCoordinator(Chance chance) {
        List<VirtualCoordinator> up = coordinators.stream().filter(VirtualCoordinator::up).toList();
        return up.isEmpty() ? null : chance.pick(up);
    }

    Collection<VirtualWorker> workers() {
        return Collections.unmodifiableList(workers);
    }

    ModelFootprint footprint(String modelId) {
        ModelRecord model = log.newest().models().get(modelId);
        if (model == null) {
            throw new Violation("a worker is to hold a part of no model: " + modelId);
        }
        return model.footprint();
    }

    /** Something happened to a worker: what it holds may be missed for a while. */
    void disturbed(VirtualWorker worker) {
        worker.shards().forEach(shard -> gapWatch.disturbed(shard.key.modelId()));
        log.newest().placement().of(worker.id).forEach(s -> gapWatch.disturbed(s.modelId()));
    }

    /** Something happened to those who could help. */
    void disturbedAll() {
        models.forEach(gapWatch::disturbed);
    }

    /** What a coordinator that starts decides with. */
    Planning newPlanning() {
        return planning.get();
    }

    Scenario scenario() {
        return scenario;
    }

    Agenda agenda() {
        return agenda;
    }

    long nowMillis() {
        return agenda.nowMillis();
    }

    Trace trace() {
        return trace;
    }

    Tally tally() {
        return tally;
    }

    Invariants invariants() {
        return invariants;
    }

    Coverage coverage() {
        return coverage;
    }

    VirtualLog log() {
        return log;
    }

    Policy policy() {
        return log.newest().policy();
    }

    Answers answers() {
        return answers;
    }

    VirtualRing ring() {
        return ring;
    }

    /** The time as engines want it. */
    long nowNanos() {
        return TimeUnit.MILLISECONDS.toNanos(agenda.nowMillis());
    }

    /**
     * Something came about that must never be. For code below which exceptions are caught: the run
     * ends after this event.
     */
    void broken(String sentence) {
        if (broken == null) {
            broken = new Violation(sentence);
        }
    }

    double availability() {
        return coverage.availability(START_MILLIS);
    }

    double simulatedSeconds() {
        return (agenda.nowMillis() - START_MILLIS) / 1000.0;
    }
}
