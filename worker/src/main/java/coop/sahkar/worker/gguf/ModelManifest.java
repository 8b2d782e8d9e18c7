package coop.sahkar.worker.gguf;

import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.LlamaRelease;
import coop.sahkar.proto.Span;
import java.util.List;
import java.util.Optional;

/**
 * All that is to be known about a published model but its weights and its tokenizer: what it is,
 * its metadata, and of each tensor where it lies in the published file and the digest of its data.
 *
 * <p>A manifest that came from elsewhere goes through {@link ManifestCheck} before anything in it
 * is believed.
 *
 * @param name what people call it: letters, digits, dot, hyphen and underscore
 * @param digest SHA-256 over the metadata, the whole key-value section and every tensor, 64
 *     lower-case hexadecimal digits
 * @param architecture its {@code general.architecture}
 * @param blockCount how many blocks it has
 * @param width floats of one hidden state
 * @param vocabulary tokens in its vocabulary
 * @param contextLength positions it was trained for
 * @param quantization how its weights are stored, for people, such as {@code Q4_K_M}
 * @param grain spans begin at multiples of so many blocks, and have at least so many
 * @param ggufVersion version of the published file, 2 or 3
 * @param metadata the file's key-value pairs less those that {@link #leavesOut} names
 * @param keyValues where all of them are
 * @param tensors in the published file's order
 * @param fileBytes how long the published file is
 */
public record ModelManifest(
        String name,
        String digest,
        String architecture,
        int blockCount,
        int width,
        int vocabulary,
        int contextLength,
        String quantization,
        int grain,
        int ggufVersion,
        Metadata metadata,
        KeyValueSection keyValues,
        List<TensorEntry> tensors,
        long fileBytes) {
    private static final int SHORT_DIGITS = 12;

    public ModelManifest {
        tensors = List.copyOf(tensors);
    }

    /** Whether a manifest leaves a key out: the tokenizer's, which are most of the bytes. */
    static boolean leavesOut(String key) {
        return key.startsWith("tokenizer.");
    }

    /** What a manifest keeps of a file's key-value pairs. */
    static Metadata kept(Metadata whole) {
        return new MetadataBuilder().copy(whole, key -> !leavesOut(key)).build();
    }

    /** Whether the shard of {@code span} has a tokenizer, and so needs the key-value section. */
    public boolean needsTokenizer(Span span) {
        return span.isHead() || span.isTail(blockCount);
    }

    /** What names exactly this model: {@code name@digest}. */
    public String id() {
        return name + "@" + digest;
    }

    /** The id as people are shown it, with the first digits of the digest. */
    public String shortId() {
        return name + "@" + digest.substring(0, SHORT_DIGITS);
    }

    public Optional<TensorEntry> tensor(String tensorName) {
        return tensors.stream().filter(one -> one.name().equals(tensorName)).findFirst();
    }

    /** Whether the output matrix is the embedding. */
    public boolean tied() {
        return tensor(TensorNames.OUTPUT).isEmpty();
    }

    /**
     * The first llama.cpp known here that loads the model. Its architecture and its types decide;
     * b4916 also knows no gemma3 with an output matrix of its own.
     */
    public LlamaRelease oldestRelease() {
        LlamaRelease oldest =
                Architecture.ofId(architecture)
                        .map(Architecture::oldestRelease)
                        .orElse(LlamaRelease.V0_5);
        if (architecture.equals(Architecture.GEMMA3.id()) && !tied()) {
            oldest = LlamaRelease.V0_5;
        }
        for (TensorEntry tensor : tensors) {
            LlamaRelease own = tensor.type().oldestRelease();
            oldest = own.atLeast(oldest) ? own : oldest;
        }
        return oldest;
    }

    /** Where it may be cut. */
    public Cuts cuts() {
        return new Cuts(blockCount, grain);
    }
}
