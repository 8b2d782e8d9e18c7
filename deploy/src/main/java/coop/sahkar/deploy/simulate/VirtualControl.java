package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.Problem;
import coop.sahkar.worker.agent.Backoff;
import coop.sahkar.worker.agent.ControlPace;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** A worker's streams to the coordinators: it says hello on them, reports, and opens them anew. */
final class VirtualControl {
    private static final long WELCOME_MILLIS = 10_000;

    private final VirtualWorker worker;
    private final World world;
    private final Chance chance;
    private final List<ControlPath> paths = new ArrayList<>();
    private final SortedMap<String, Integer> failures = new TreeMap<>();
    private long streams;

    VirtualControl(VirtualWorker worker, World world, Chance chance) {
        this.worker = worker;
        this.world = world;
        this.chance = chance;
    }

    void add(ControlPath path) {
        paths.add(path);
    }

    List<ControlPath> paths() {
        return Collections.unmodifiableList(paths);
    }

    /** The way to one coordinator. */
    ControlPath to(VirtualCoordinator coordinator) {
        return paths.stream().filter(p -> p.coordinator == coordinator).findFirst().orElseThrow();
    }

    /** Whether messages pass to some coordinator, and back. */
    boolean passes() {
        return paths.stream().anyMatch(ControlPath::passes);
    }

    /** Messages that wait on the fullest path. */
    int held() {
        return paths.stream().mapToInt(ControlPath::held).max().orElse(0);
    }

    /** The worker has started. */
    void start() {
        paths.forEach(this::connect);
    }

    /** The worker has died; its streams are closed, or fall silent. */
    void crash(boolean closing) {
        for (ControlPath path : paths) {
            long broken = path.admitted;
            if (closing) {
                path.sendUp(() -> path.coordinator.closed(path, broken));
            }
            path.stream = 0;
            path.welcomed = false;
        }
    }

    /** Says that the worker is about to leave; it reports on. */
    void leaving() {
        paths.forEach(this::leaving);
    }

    private void leaving(ControlPath path) {
        long stream = path.stream;
        path.sendUp(() -> path.coordinator.leaving(path, stream));
    }

    /** Whether any coordinator has let it in. */
    boolean attached() {
        return paths.stream().anyMatch(path -> path.welcomed && path.stream != 0);
    }

    /** Something has changed: it is reported at once. */
    void report() {
        paths.stream().filter(p -> p.welcomed && p.stream != 0).forEach(this::reportNow);
    }

    private void connect(ControlPath path) {
        long stream = ++streams;
        path.stream = stream;
        path.welcomed = false;
        WorkerRecord self = self();
        path.sendUp(() -> path.coordinator.hello(path, stream, self));
        worker.later(
                WELCOME_MILLIS,
                () -> {
                    if (path.stream == stream && !path.welcomed) {
                        streamBroke(path, stream);
                    }
                });
    }

    private WorkerRecord self() {
        Hardware hardware = worker.hardware;
        return new WorkerRecord(
                worker.id,
                worker.id + ".sim:7400",
                "simulated",
                "llama.cpp b4916",
                hardware.memoryBytes(),
                hardware.claimedBytesPerSecond(),
                1,
                world.nowMillis());
    }

    void streamBroke(ControlPath path, long stream) {
        lost(path, stream, ControlPace.DEFAULT.lost().millis(failed(path), chance.generator()));
    }

    /** A coordinator does not let it in. */
    void refused(ControlPath path, long stream, Problem.Kind why) {
        Backoff pace = ControlPace.DEFAULT.after(why);
        lost(path, stream, pace.millis(failed(path), chance.generator()));
    }

    private int failed(ControlPath path) {
        return failures.merge(path.coordinator.id, 1, Integer::sum);
    }

    private void lost(ControlPath path, long stream, long waitMillis) {
        if (worker.up() && path.stream == stream) {
            path.stream = 0;
            path.welcomed = false;
            worker.later(
                    waitMillis,
                    () -> {
                        if (path.stream == 0) {
                            connect(path);
                        }
                    });
        }
    }

    void welcome(ControlPath path, long stream) {
        if (worker.up() && path.stream == stream && !path.welcomed) {
            path.welcomed = true;
            failures.remove(path.coordinator.id);
            if (worker.leaving()) {
                leaving(path);
            }
            report(path, stream);
        }
    }

    private void report(ControlPath path, long stream) {
        if (path.stream == stream && path.welcomed) {
            reportNow(path);
            worker.later(world.policy().reportIntervalMillis(), () -> report(path, stream));
        }
    }

    private void reportNow(ControlPath path) {
        long stream = path.stream;
        long generation = worker.desired().generation();
        var statuses = worker.shards().stream().map(VirtualShard::status).toList();
        path.sendUp(() -> path.coordinator.report(path, stream, generation, statuses));
    }
}
