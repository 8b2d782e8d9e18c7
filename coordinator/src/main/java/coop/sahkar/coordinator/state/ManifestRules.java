package coop.sahkar.coordinator.state;

import coop.sahkar.proto.Limits;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Finds what is wrong with a manifest, as far as a coordinator depends on it: what it plans with
 * must add up, and nobody may fill the pool's memory with a claim. Workers check the rest
 * (metadata, checksums) before they load a byte.
 */
public final class ManifestRules {
    /** Bytes of one manifest in the log; the largest models known need less than a quarter. */
    public static final int MAX_MANIFEST_BYTES = 8 * 1024 * 1024;

    private static final int MAX_WORDS = 64;
    private static final int SHA256_BYTES = 32;
    private static final int MAX_TENSOR_NAME = 256;
    private static final long MAX_FILE_BYTES = 1L << 50;
    private static final long MAX_KV_BYTES = 1L << 32;

    private ManifestRules() {}

    /** A sentence about the first thing that is wrong; empty when nothing is. */
    public static Optional<String> problem(ModelManifest manifest) {
        try {
            checkWords(manifest);
            checkNumbers(manifest);
            Set<String> names = new LinkedHashSet<>();
            for (ModelManifest.Tensor tensor : manifest.tensors()) {
                checkTensor(manifest, tensor);
                require(names.add(tensor.name()), "tensor %s stands in it twice", tensor.name());
            }
            checkBlocks(manifest, names);
            checkRanges(manifest);
            return Optional.empty();
        } catch (Wrong wrong) {
            return Optional.of("the manifest cannot be right: " + wrong.getMessage());
        }
    }

    private static void checkWords(ModelManifest manifest) {
        require(
                manifest.encoded().bytes().length <= MAX_MANIFEST_BYTES,
                "it has more than %s bytes",
                MAX_MANIFEST_BYTES);
        require(
                manifest.name()
                        .matches(
                                "[A-Za-z0-9][A-Za-z0-9._-]{0," + (Limits.MAX_MODEL_NAME - 1) + "}"),
                "the name must be 1 to %s letters, digits, dots, dashes and underscores",
                Limits.MAX_MODEL_NAME);
        require(
                manifest.digest().matches("[0-9a-f]{64}"),
                "the digest must be the 32 bytes of a SHA-256");
        require(
                manifest.architecture().matches("[A-Za-z0-9._-]{1," + MAX_WORDS + "}"),
                "the architecture must be a short name");
        require(manifest.quantization().length() <= MAX_WORDS, "the quantization is too long");
    }

    private static void checkNumbers(ModelManifest m) {
        within("block_count", m.blockCount(), 1, Limits.MAX_BLOCKS);
        within("width", m.width(), 1, Limits.MAX_WIDTH);
        within("vocabulary", m.vocabulary(), 1, Integer.MAX_VALUE);
        within("context_length", m.contextLength(), 1, Integer.MAX_VALUE);
        within("grain", m.grain(), 1, m.blockCount());
        within("file_bytes", m.fileBytes(), 1, MAX_FILE_BYTES);
        within("kv_bytes_per_position_per_block", m.kvBytesPerPositionPerBlock(), 0, MAX_KV_BYTES);
        within("attention_heads", m.attentionHeads(), 0, Limits.MAX_ATTENTION_HEADS);
        within("tensors", m.tensors().size(), 1, Limits.MAX_TENSORS);
        within("key_values.bytes", m.keyValueBytes(), 0, m.fileBytes());
    }

    private static void checkTensor(ModelManifest manifest, ModelManifest.Tensor tensor) {
        String name = tensor.name();
        require(!name.isEmpty() && name.length() <= MAX_TENSOR_NAME, "a tensor's name is too long");
        require(tensor.digestBytes() == SHA256_BYTES, "tensor %s has no SHA-256 of 32 bytes", name);
        require(
                !tensor.shape().isEmpty() && tensor.shape().size() <= 4,
                "tensor %s must have 1 to 4 dimensions",
                name);
        long expected = TensorSize.bytes(tensor.type(), tensor.shape());
        require(expected != TensorSize.IMPOSSIBLE, "tensor %s has an impossible shape", name);
        require(
                expected == TensorSize.UNKNOWN_TYPE
                        ? tensor.bytes() > 0
                        : tensor.bytes() == expected,
                "tensor %s claims %s bytes, its shape and type give %s",
                name,
                tensor.bytes(),
                expected);
        require(
                tensor.offset() >= 0
                        && tensor.offset() <= manifest.fileBytes()
                        && tensor.bytes() <= manifest.fileBytes() - tensor.offset(),
                "tensor %s lies outside the file of %s bytes",
                name,
                manifest.fileBytes());
    }

    private static void checkBlocks(ModelManifest manifest, Set<String> names) {
        boolean[] present = new boolean[manifest.blockCount()];
        for (String name : names) {
            OptionalInt block = Footprints.block(name);
            if (block.isPresent()) {
                require(
                        block.getAsInt() < present.length,
                        "tensor %s belongs to a block beyond the last, %s",
                        name,
                        present.length - 1);
                present[block.getAsInt()] = true;
            }
        }
        for (int i = 0; i < present.length; i++) {
            require(present[i], "block %s has no tensor", i);
        }
        require(names.contains(Footprints.EMBEDDING), "tensor %s is missing", Footprints.EMBEDDING);
        require(
                names.contains(Footprints.OUTPUT_NORM),
                "tensor %s is missing",
                Footprints.OUTPUT_NORM);
    }

    private static void checkRanges(ModelManifest manifest) {
        List<ModelManifest.Tensor> sorted = new ArrayList<>(manifest.tensors());
        sorted.sort(Comparator.comparingLong(ModelManifest.Tensor::offset));
        for (int i = 1; i < sorted.size(); i++) {
            ModelManifest.Tensor before = sorted.get(i - 1);
            require(
                    before.offset() + before.bytes() <= sorted.get(i).offset(),
                    "tensors %s and %s overlap",
                    before.name(),
                    sorted.get(i).name());
        }
    }

    private static void within(String name, long value, long least, long most) {
        require(
                value >= least && value <= most,
                "%s is %s but must lie between %s and %s",
                name,
                value,
                least,
                most);
    }

    @SuppressWarnings({"FormatStringAnnotation", "AnnotateFormatMethod"})
    private static void require(boolean holds, String sentence, Object... values) {
        if (!holds) {
            throw new Wrong(sentence.formatted(values));
        }
    }

    private static final class Wrong extends RuntimeException {
        private static final long serialVersionUID = 1;

        Wrong(String sentence) {
            super(sentence, null, false, false);
        }
    }
}
