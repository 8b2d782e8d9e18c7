package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.deploy.terminal.Progress;
import coop.sahkar.worker.agent.ShardPhase;
import coop.sahkar.worker.agent.ShardStatus;
import coop.sahkar.worker.agent.WorkerListener;
import coop.sahkar.worker.agent.WorkerNode;
import coop.sahkar.worker.agent.WorkerSelf;
import coop.sahkar.worker.store.ShardKey;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Shows a donor what the worker does: a line for each change, a bar for each fetch. */
final class WorkerScreen implements WorkerListener {
    private static final int LOOK_MILLIS = 250;

    private final Consumer<String> line;
    private final Map<ShardKey, ShardPhase> shown = new HashMap<>();
    private final Map<ShardKey, Progress> bars = new HashMap<>();

    WorkerScreen(Consumer<String> line) {
        this.line = line;
    }

    @Override
    public void ready(WorkerSelf self) {
        line.accept(
                "Worker %s is ready at %s: lends %s and %d threads, computes with %s"
                        .formatted(
                                self.workerId(),
                                self.endpoint(),
                                Amounts.bytes(self.memoryBytes()),
                                self.threads(),
                                self.library()));
    }

    @Override
    public void attached(String coordinator, String coordinatorId) {
        line.accept("Attached to coordinator %s at %s".formatted(coordinatorId, coordinator));
    }

    @Override
    public void relayed(String coordinator, String why) {
        line.accept(
                "Others reach this worker through %s: %s. Slower; --advertise and a forwarded port help"
                        .formatted(coordinator, why));
    }

    @Override
    public void detached(String coordinator, String why) {
        line.accept("Not attached to %s: %s".formatted(coordinator, why));
    }

    /** Looks at the worker's shards again and again, until it has left. */
    void watch(WorkerNode node, Departure departure) throws InterruptedException {
        do {
            node.shards().forEach(this::look);
        } while (!departure.await(LOOK_MILLIS));
    }

    private void look(ShardStatus shard) {
        ShardPhase before = shown.put(shard.key(), shard.phase());
        String name =
                "%s blocks %s"
                        .formatted(
                                shard.key().modelId().replaceFirst("@.*", ""),
                                Amounts.blocks(shard.key().span()));
        if (shard.phase() == ShardPhase.FETCHING && shard.bytesTotal() > 0) {
            bars.computeIfAbsent(
                            shard.key(),
                            _ -> Progress.ofBytes("Fetching " + name, shard.bytesTotal()))
                    .at(shard.bytesDone());
        } else if (bars.containsKey(shard.key())) {
            bars.remove(shard.key()).close();
        }
        if (before != shard.phase()) {
            switch (shard.phase()) {
                case SERVING -> line.accept("Serving " + name);
                case FAILED -> line.accept("Failed with %s: %s".formatted(name, shard.failure()));
                case DRAINED -> line.accept("Gave up " + name);
                case FETCHING, FETCHED, LOADING, LOADED, DRAINING -> {}
            }
        }
    }
}
