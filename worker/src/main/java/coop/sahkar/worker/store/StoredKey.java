package coop.sahkar.worker.store;

import coop.sahkar.proto.Span;
import java.util.Comparator;

/**
 * Names a file of the store.
 *
 * @param modelId whose bytes it holds, {@code name@digest}; the name of its directory
 * @param label its name in that directory
 */
record StoredKey(String modelId, String label) implements Comparable<StoredKey> {
    private static final Comparator<StoredKey> ORDER =
            Comparator.comparing(StoredKey::modelId).thenComparing(StoredKey::label);

    StoredKey {
        ShardKey.requireModelId(modelId);
    }

    static StoredKey shard(String modelId, Span span) {
        return new StoredKey(modelId, "blocks-%d-%d.gguf".formatted(span.first(), span.end()));
    }

    static StoredKey keyValues(String modelId) {
        return new StoredKey(modelId, "key-values.bin");
    }

    @Override
    public int compareTo(StoredKey other) {
        return ORDER.compare(this, other);
    }
}
