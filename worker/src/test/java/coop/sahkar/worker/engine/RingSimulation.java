package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.Rerouting;
import coop.sahkar.worker.simulate.LetterVocabulary;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * Stages joined by links in memory, in one thread and in virtual time. A seed decides which link
 * delivers next and which stage computes next; links keep order, as real ones do.
 */
final class RingSimulation {
    private static final long STEP_NANOS = TimeUnit.MICROSECONDS.toNanos(100);
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final int MOST_STEPS = 2_000_000;

    final Map<String, Worker> workers = new LinkedHashMap<>();
    final List<StageMessage> sent = new ArrayList<>();
    private final Map<String, ArrayDeque<StageMessage>> links = new LinkedHashMap<>();
    private final Set<String> broken = new LinkedHashSet<>();
    private final Set<String> frozen = new LinkedHashSet<>();
    private final Set<String> cut = new LinkedHashSet<>();
    private final Random random;
    private final EngineLimits limits;
    private final BatchPolicy policy;
    private final ArrayDeque<Runnable> answers = new ArrayDeque<>();
    Rerouting routing = Rerouting.NONE;

    /** What becomes of messages on their way. */
    UnaryOperator<StageMessage> tamper = UnaryOperator.identity();

    private long logBytes = LogRoom.MEMORY_BYTES;
    private int diskPages;
    private int pageBytes = 1;
    private long parkedBytesEach = Long.BYTES;
    private long nowNanos = 1;

    /** One stage and what surrounds it. */
    final class Worker {
        final RouteStage place;
        final int kvCells;
        final int maxSequences;
        StageMeter meter = new StageMeter();
        FakeStage stage;
        FakeDisk disk;
        LogRoom logs;
        StageCore core;
        Foresight foresight;
        int largestBatch;
        int foreseen;
        private final Mailbox mailbox = new Mailbox(100, 1000);
        private final Rows rows = new Rows(Arena.ofAuto(), FakeStage.ROWS, FakeStage.WIDTH);

        Worker(RouteStage place, int kvCells, int maxSequences) {
            this.place = place;
            this.kvCells = kvCells;
            this.maxSequences = maxSequences;
            this.stage = stage();
            this.disk = new FakeDisk(diskPages, pageBytes);
            this.logs = room();
            this.core = core();
            this.foresight = new Foresight(core, stage, rows, mailbox);
        }

        private FakeStage stage() {
            FakeStage made = new FakeStage(place.span(), kvCells, maxSequences);
            made.bytesPerPosition = parkedBytesEach;
            return made;
        }

        private LogRoom room() {
            return diskPages == 0 ? LogRoom.inMemory(logBytes) : LogRoom.over(logBytes, disk.disk);
        }

        /** Comes back with an empty KV and no session. */
        void restart() {
            meter = new StageMeter();
            stage = stage();
            disk = new FakeDisk(diskPages, pageBytes);
            logs = room();
            core = core();
            foresight = new Foresight(core, stage, rows, mailbox);
        }

        void compute() {
            int before = stage.computed();
            core.work().compute();
            largestBatch = Math.max(largestBatch, stage.computed() - before);
        }

        /** Takes a message in as an engine does that slept, or as one that waited for it awake. */
        void take(StageMessage message) {
            if (core.ready() || !core.work().takeLone() || random.nextInt(4) == 0) {
                core.accept(message, nowNanos);
                return;
            }
            boolean came = random.nextInt(8) > 0;
            if (!came) {
                assertThat(foresight.begin(() -> false)).isFalse();
            }
            mailbox.put(new Inbound.FromPeer(message, nowNanos));
            if (came && foresight.begin(() -> true)) {
                foreseen++;
            }
            while (!mailbox.empty()) {
                mailbox.takeFirst().handTo(core);
            }
        }

        StageStats stats() {
            return meter.read(kvCells, core.waitingRows(), nowNanos);
        }

        private void question(
                SessionId session, SealedTicket newest, Set<String> lost, Problem why) {
            routing.ask(
                    newest, lost, why, answer -> answers.add(() -> core.rerouted(session, answer)));
        }

        private StageCore core() {
            LoadedStage loaded = new LoadedStage(stage, new LetterVocabulary());
            Links out =
                    new Links() {
                        @Override
                        public void send(RouteStage to, StageMessage message) {
                            RingSimulation.this.send(place.workerId(), to.workerId(), message);
                        }

                        @Override
                        public boolean backedUp(RouteStage to) {
                            String link = place.workerId() + ">" + to.workerId();
                            return links.containsKey(link) && random.nextInt(4) == 0;
                        }
                    };
            return new StageCore(
                    loaded, rows, out, limits, logs, policy, meter, () -> nowNanos, this::question);
        }
    }

    RingSimulation(long seed, EngineLimits limits, BatchPolicy policy) {
        this.random = new Random(seed);
        this.limits = limits;
        this.policy = policy;
    }

    RingSimulation(long seed) {
        this(seed, EngineLimits.DEFAULT, new BatchPolicy(8, 4, 2, 4));
    }

    /** Bounds the boundary logs of workers that are added from here on. */
    RingSimulation logs(long memoryBytes, int pages, int bytesPerPage) {
        logBytes = memoryBytes;
        diskPages = pages;
        pageBytes = bytesPerPage;
        return this;
    }

    /** What a position takes outside the cache of workers that are added from here on. */
    RingSimulation parking(long bytesPerPosition) {
        parkedBytesEach = bytesPerPosition;
        return this;
    }

    RingSimulation with(List<RouteStage> route, int kvCells, int maxSequences) {
        for (RouteStage place : route) {
            workers.put(place.workerId(), new Worker(place, kvCells, maxSequences));
        }
        return this;
    }

    Worker worker(String id) {
        Worker worker = workers.get(id);
        if (worker == null) {
            throw new AssertionError("no worker " + id);
        }
        return worker;
    }

    /** Has each batch of a worker take some time. */
    void computesFor(String id, long micros) {
        worker(id).stage.beforeCompute = () -> nowNanos += TimeUnit.MICROSECONDS.toNanos(micros);
    }

    void start(GenerationStart start) {
        worker(start.ticket().ticket().head().workerId()).core.start(start);
    }

    /** Loses all that is under way to and from a worker, and tells its peers. */
    void kill(String id) {
        broken.add(id);
        links.entrySet().removeIf(link -> touches(link.getKey(), id));
        workers.values().stream()
                .filter(worker -> !worker.place.workerId().equals(id))
                .forEach(worker -> worker.core.peerLost(id, "killed by the test"));
    }

    /** Whether a worker is neither killed nor stopped. */
    boolean runs(String id) {
        return alive(id) && !frozen.contains(id);
    }

    /** Whether a worker was not killed. */
    boolean alive(String id) {
        return workers.containsKey(id) && !broken.contains(id);
    }

    /** Stops a worker as a signal does: its links stay, nothing moves. */
    void freeze(String id) {
        frozen.add(id);
    }

    /** Lets a stopped worker go on. */
    void thaw(String id) {
        frozen.remove(id);
    }

    /** Loses everything one worker sends another from here on, without a word. */
    void cut(String from, String to) {
        cut.add(from + ">" + to);
        links.remove(from + ">" + to);
    }

    /** One random step; false when there is nothing to do but let time pass. */
    boolean step() {
        nowNanos += STEP_NANOS;
        List<Runnable> choices = new ArrayList<>();
        if (!answers.isEmpty()) {
            choices.add(() -> answers.removeFirst().run());
        }
        links.forEach((link, queue) -> {
            if (!frozen.contains(receiver(link))) {
                choices.add(() -> deliver(link, queue));
            }
        });
        for (Worker worker : workers.values()) {
            if (runs(worker.place.workerId()) && worker.core.ready()) {
                choices.add(worker::compute);
            }
            if (runs(worker.place.workerId()) && !worker.disk.tasks.isEmpty()) {
                choices.add(worker.disk::step);
            }
        }
        if (choices.isEmpty()) {
            return false;
        }
        choices.get(random.nextInt(choices.size())).run();
        return true;
    }

    /** Goes on until nothing is left to do now. */
    void settle() {
        for (int i = 0; i < MOST_STEPS; i++) {
            if (!step()) {
                return;
            }
        }
        throw new AssertionError("the ring does not come to rest");
    }

    /** Lets time pass, tick by tick, with all that follows from it. */
    void pass(long millis) {
        long until = nowNanos + TimeUnit.MILLISECONDS.toNanos(millis);
        while (nowNanos < until) {
            nowNanos += TICK_NANOS;
            for (Worker worker : workers.values()) {
                if (runs(worker.place.workerId())) {
                    worker.core.tick();
                }
            }
            settle();
        }
    }

    /** A link to a killed worker rests: who sends is told of the loss, each time. */
    private void send(String from, String to, StageMessage message) {
        if (broken.contains(from) || !workers.containsKey(to)) {
            return;
        }
        if (broken.contains(to)) {
            answers.add(() -> worker(from).core.peerLost(to, "it was lost a moment ago"));
        } else if (!cut.contains(from + ">" + to)) {
            sent.add(message);
            links.computeIfAbsent(from + ">" + to, _ -> new ArrayDeque<>())
                    .add(tamper.apply(message));
        }
    }

    private void deliver(String link, ArrayDeque<StageMessage> queue) {
        StageMessage message = queue.removeFirst();
        if (queue.isEmpty()) {
            links.remove(link);
        }
        worker(receiver(link)).take(message);
    }

    private static String receiver(String link) {
        return link.substring(link.indexOf('>') + 1);
    }

    private static boolean touches(String link, String id) {
        return link.startsWith(id + ">") || link.endsWith(">" + id);
    }
}
