package coop.sahkar.worker.agent;

import coop.sahkar.worker.engine.StageEngine;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.head.ChatTemplate;
import coop.sahkar.worker.store.Cancellation;
import coop.sahkar.worker.store.ShardKey;
import coop.sahkar.worker.store.StoredFile;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One shard and all that is open for it. Changed by the host's thread alone. */
final class HostedShard {
    private static final Logger LOG = LoggerFactory.getLogger(HostedShard.class);

    final DesiredShard wish;
    final Cancellation cancellation = new Cancellation();

    /** Filled by the engine's thread, when it has loaded the shard. */
    final AtomicReference<StageLoader.@Nullable Loaded> loaded = new AtomicReference<>();

    ShardPhase phase = ShardPhase.FETCHING;
    String failure = "";
    long memoryBytes;
    long retryAtMillis;
    long drainUntilMillis;
    boolean closing;
    @Nullable ModelManifest manifest;
    @Nullable StoredFile stored;
    @Nullable StageEngine engine;
    @Nullable ChatTemplate chatTemplate;

    /** Written by fetching threads. */
    volatile long bytesDone;

    volatile long bytesTotal;

    HostedShard(DesiredShard wish) {
        this.wish = wish;
    }

    ShardKey key() {
        return wish.key();
    }

    ObservedShard observed() {
        return new ObservedShard(key(), wish.kvCells(), phase, memoryBytes, retryAtMillis);
    }

    ShardStatus status() {
        StageEngine running = engine;
        return new ShardStatus(
                key(),
                phase,
                bytesDone,
                bytesTotal,
                failure,
                running == null ? null : running.stats());
    }

    /** Closes everything, in order. May take as long as a batch. */
    void release() {
        cancellation.cancel();
        StageEngine running = engine;
        if (running != null) {
            running.close();
        }
        StageLoader.Loaded weights = loaded.getAndSet(null);
        if (weights != null) {
            try {
                weights.close();
            } catch (IllegalStateException e) {
                LOG.warn("{} is still in use and stays in memory: {}", key().described(), e);
            }
        }
        StoredFile file = stored;
        if (file != null) {
            file.close();
        }
    }
}
