package coop.sahkar.worker.gguf;

import coop.sahkar.proto.Span;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/** What a shard's metadata says differently from the whole model's. */
final class ShardMetadata {
    /** At this many blocks llama.cpp takes a gemma3 for the 27B, which scales attention else. */
    static final int GEMMA3_27B_BLOCKS = 62;

    /** Rows of the embedding of a stage that never sees a token. */
    static final int MIDDLE_VOCABULARY = 32;

    static final String MODEL_KEY = "sahkar.model";
    static final String FIRST_KEY = "sahkar.span.first";
    static final String END_KEY = "sahkar.span.end";
    static final String BLOCKS_KEY = "sahkar.block_count";

    /** Keys that may hold an array with an entry for each block. */
    private static final Set<String> PER_BLOCK =
            Set.of(
                    "attention.head_count",
                    "attention.head_count_kv",
                    "feed_forward_length",
                    "expert_feed_forward_length",
                    "attention.sliding_window_pattern");

    private final ModelManifest manifest;
    private final Metadata source;
    private final Span span;
    private final String prefix;

    private ShardMetadata(ModelManifest manifest, Span span, Metadata source) {
        this.manifest = manifest;
        this.source = source;
        this.span = span;
        this.prefix = manifest.architecture() + ".";
    }

    /**
     * @param source all key-value pairs of the published file; without the tokenizer's for a span
     *     that needs none
     */
    static Metadata of(ModelManifest manifest, Span span, Metadata source) {
        return new ShardMetadata(manifest, span, source).build();
    }

    private Metadata build() {
        boolean tokens = manifest.needsTokenizer(span);
        MetadataBuilder builder = new MetadataBuilder();
        builder.copy(
                source,
                key -> (tokens || !ModelManifest.leavesOut(key)) && !key.startsWith("split."));
        builder.u32(prefix + "block_count", span.length());
        if (!tokens) {
            builder.text("tokenizer.ggml.model", "no_vocab");
            builder.u32(prefix + "vocab_size", MIDDLE_VOCABULARY);
        }
        if (manifest.architecture().equals(Architecture.PHI3.id())) {
            phi3Window(source, manifest.blockCount())
                    .ifPresent(window -> builder.u32(prefix + "attention.sliding_window", window));
        }
        PER_BLOCK.forEach(key -> slice(builder, prefix + key));
        builder.text(MODEL_KEY, manifest.id());
        builder.u32(FIRST_KEY, span.first());
        builder.u32(END_KEY, span.end());
        builder.u32(BLOCKS_KEY, manifest.blockCount());
        return builder.build();
    }

    private void slice(MetadataBuilder builder, String key) {
        ValueType element = source.elementType(key).orElse(ValueType.ARRAY);
        boolean plain = element != ValueType.ARRAY && element != ValueType.STRING;
        if (!plain || source.sequenceLength(key) != manifest.blockCount()) {
            return;
        }
        MetadataValue.Sequence all = source.sequence(key).orElseThrow();
        List<MetadataValue> part = all.items().subList(span.first(), span.end());
        builder.sequence(key, element, part);
    }

    /**
     * The window a phi3 model attends to. llama.cpp guesses it from the number of blocks where old
     * files do not say it; a shard has another number of blocks and must say it.
     */
    static OptionalLong phi3Window(Metadata metadata, int blocks) {
        OptionalLong said = metadata.whole("phi3.attention.sliding_window");
        if (said.isPresent()) {
            return said;
        }
        long context = metadata.whole("phi3.context_length").orElse(0);
        long kvHeads = metadata.whole("phi3.attention.head_count_kv").orElse(0);
        if ((blocks == 32 || blocks == 40) && context == 4096) {
            return OptionalLong.of(2047);
        }
        if (blocks == 32 && kvHeads == 32 && context == 131_072) {
            return OptionalLong.of(262_144);
        }
        if (blocks == 40 && context == 131_072) {
            return OptionalLong.of(131_072);
        }
        return OptionalLong.empty();
    }
}
