package coop.sahkar.worker.store;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Span;
import java.util.Comparator;
import java.util.regex.Pattern;

/**
 * Names a shard.
 *
 * @param modelId {@code name@digest}
 * @param span its blocks
 */
public record ShardKey(String modelId, Span span) implements Comparable<ShardKey> {
    private static final Pattern MODEL_ID =
            Pattern.compile("[A-Za-z0-9._-]{1," + Limits.MAX_MODEL_NAME + "}@[0-9a-f]{64}");
    private static final Comparator<ShardKey> ORDER =
            Comparator.comparing(ShardKey::modelId).thenComparing(ShardKey::span);

    /**
     * Checks the id, which becomes a directory's name.
     *
     * @throws IllegalArgumentException in a sentence, if it is not a model's id
     */
    public ShardKey {
        requireModelId(modelId);
    }

    static void requireModelId(String modelId) {
        if (!MODEL_ID.matcher(modelId).matches()) {
            throw new IllegalArgumentException(
                    "\"%s\" is not a model's id; it should read name@ and 64 hex digits"
                            .formatted(modelId));
        }
    }

    @Override
    public int compareTo(ShardKey other) {
        return ORDER.compare(this, other);
    }

    /** As people read it: {@code blocks 0 to 7 of name}. */
    public String described() {
        String name = modelId.substring(0, modelId.indexOf('@'));
        return "blocks %d to %d of %s".formatted(span.first(), span.end() - 1, name);
    }
}
