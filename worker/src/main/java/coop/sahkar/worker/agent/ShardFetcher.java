package coop.sahkar.worker.agent;

import coop.sahkar.worker.gguf.GgufException;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.head.ChatTemplate;
import coop.sahkar.worker.relay.ReachedSources;
import coop.sahkar.worker.store.ChatTemplates;
import coop.sahkar.worker.store.FetchProgress;
import coop.sahkar.worker.store.ShardStore;
import coop.sahkar.worker.store.StoreException;
import coop.sahkar.worker.store.StoredFile;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gets one shard after another onto the disk. Blocks its caller; safe for many threads. */
final class ShardFetcher {
    private static final Logger LOG = LoggerFactory.getLogger(ShardFetcher.class);

    private final HostOptions options;
    private final Manifests manifests;
    private final ShardStore store;
    private final Function<List<String>, ReachedSources> ways;

    /** Where manifests come from. */
    @FunctionalInterface
    interface Manifests {
        /** The checked manifest of a model. */
        ModelManifest of(String modelId) throws StoreException, InterruptedException;
    }

    /** Hears that a shard is on the disk. */
    @FunctionalInterface
    interface Done {
        void fetched(HostedShard shard, Fetched what);
    }

    /**
     * A shard on the disk.
     *
     * @param manifest of its model
     * @param stored its file, held
     * @param memoryBytes what it will take in memory
     * @param chatTemplate how the model wants conversations written; null unless it is a head
     */
    record Fetched(
            ModelManifest manifest,
            StoredFile stored,
            long memoryBytes,
            @Nullable ChatTemplate chatTemplate) {}

    /**
     * Joins the parts.
     *
     * @param ways opens a way to those of an assignment's sources that can be used
     */
    ShardFetcher(
            HostOptions options,
            Manifests manifests,
            ShardStore store,
            Function<List<String>, ReachedSources> ways) {
        this.options = options;
        this.manifests = manifests;
        this.store = store;
        this.ways = ways;
    }

    /** Fetches a shard and says how that went; says nothing when it was cancelled. */
    void fetch(HostedShard shard, Done done, BiConsumer<HostedShard, String> failed) {
        try {
            ModelManifest manifest = manifests.of(shard.key().modelId());
            long need = MemoryNeed.bytes(manifest, shard.key().span(), shard.wish.kvCells());
            if (need > options.lentBytes()) {
                failed.accept(
                        shard,
                        Reconciler.tooLittle(
                                shard.key(), need, options.lentBytes(), options.lentBytes()));
                return;
            }
            StoredFile stored = obtain(shard, manifest);
            done.fetched(shard, new Fetched(manifest, stored, need, chatTemplate(shard, stored)));
        } catch (StoreException | GgufException e) {
            failed.accept(shard, String.valueOf(e.getMessage()));
        } catch (CancellationException | InterruptedException e) {
            LOG.debug("fetching {} was given up", shard.key().described());
        } catch (RuntimeException e) {
            LOG.error("a fault of ours in fetching {}", shard.key().described(), e);
            failed.accept(shard, "fetching met a fault of ours: " + e + "; see the worker's log");
        }
    }

    private static @Nullable ChatTemplate chatTemplate(HostedShard shard, StoredFile stored)
            throws StoreException {
        if (!shard.key().span().isHead()) {
            return null;
        }
        try (GgufFile file = GgufFile.open(stored.path())) {
            return ChatTemplates.of(file.metadata());
        } catch (IOException e) {
            stored.close();
            throw new StoreException("%s cannot be read: %s".formatted(stored.path(), e), e);
        }
    }

    private StoredFile obtain(HostedShard shard, ModelManifest manifest)
            throws StoreException, InterruptedException {
        FetchProgress progress =
                (done, total) -> {
                    shard.bytesDone = done;
                    shard.bytesTotal = total;
                };
        try (ReachedSources sources = ways.apply(shard.wish.sources())) {
            return store.obtain(
                    manifest,
                    shard.key().span(),
                    sources.addresses(),
                    progress,
                    shard.cancellation);
        }
    }
}
