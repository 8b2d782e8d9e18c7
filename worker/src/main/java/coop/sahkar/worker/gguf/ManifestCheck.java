package coop.sahkar.worker.gguf;

import coop.sahkar.proto.Limits;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds what is wrong with a manifest. Nothing in it is believed: what can be derived is derived
 * again and compared.
 */
public final class ManifestCheck {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

    private final ModelManifest manifest;
    private final String what;

    private ManifestCheck(ModelManifest manifest) {
        this.manifest = manifest;
        this.what = "the manifest of " + GgufCursor.shown(manifest.name());
    }

    /**
     * Refuses a manifest that does not hold together.
     *
     * @throws GgufException if anything is wrong; the sentence says what
     */
    public static void require(ModelManifest manifest) throws GgufException {
        new ManifestCheck(manifest).check();
    }

    /**
     * Checks the whole key-value pairs, once they are here, against the manifest.
     *
     * @throws GgufException if they are not the ones the manifest was made of
     */
    public static void requireKeyValues(ModelManifest manifest, Metadata whole)
            throws GgufException {
        ManifestCheck check = new ManifestCheck(manifest);
        check.refuseIf(
                !ModelManifest.kept(whole).equals(manifest.metadata())
                        || whole.keys().size() != manifest.keyValues().count(),
                "its metadata is not that of the published file");
        long tokens = whole.sequenceLength("tokenizer.ggml.tokens");
        check.refuseIf(
                tokens != manifest.vocabulary(),
                "its tokenizer has %d tokens and its embedding %d rows"
                        .formatted(tokens, manifest.vocabulary()));
    }

    private void check() throws GgufException {
        refuseIf(
                !NAME.matcher(manifest.name()).matches()
                        || manifest.name().length() > Limits.MAX_MODEL_NAME,
                "the name must be 1 to %d letters, digits, dots, hyphens and underscores"
                        .formatted(Limits.MAX_MODEL_NAME));
        refuseIf(
                manifest.metadata().encodedBytes() > Limits.MAX_MANIFEST_BYTES,
                "the metadata is larger than %d bytes".formatted(Limits.MAX_MANIFEST_BYTES));
        checkKeyValues(manifest.keyValues());
        refuseIf(
                manifest.tensors().size() > Limits.MAX_TENSORS,
                "it has more than %d tensors".formatted(Limits.MAX_TENSORS));
        for (TensorEntry tensor : manifest.tensors()) {
            checkTensor(tensor);
        }
        checkNamesAndRanges();
        ModelShape shape = ModelShape.of(manifest.metadata(), what);
        checkModelTensors(shape);
        checkDerived(shape);
    }

    private void checkKeyValues(KeyValueSection section) throws GgufException {
        refuseIf(
                manifest.ggufVersion() != 2 && manifest.ggufVersion() != 3,
                "it is of GGUF version %d, and versions 2 and 3 are read"
                        .formatted(manifest.ggufVersion()));
        refuseIf(
                manifest.metadata().keys().stream().anyMatch(ModelManifest::leavesOut),
                "its metadata holds keys of the tokenizer");
        refuseIf(
                section.bytes() < 1
                        || section.bytes() > Limits.MAX_MANIFEST_BYTES
                        || section.offset() < 0
                        || section.offset() > manifest.fileBytes() - section.bytes(),
                "the key-value section lies outside the published file or is absurdly large");
        refuseIf(!ModelDigest.isHex(section.sha256()), "the key-value section has no SHA-256");
    }

    private void checkTensor(TensorEntry tensor) throws GgufException {
        String one = "the tensor " + GgufCursor.shown(tensor.name());
        refuseIf(
                tensor.name().getBytes(StandardCharsets.UTF_8).length > GgufTensor.MAX_NAME_BYTES,
                one + " has a name longer than ggml takes");
        refuseIf(
                tensor.shape().isEmpty() || tensor.shape().size() > GgufTensor.MAX_DIMENSIONS,
                one + " must have 1 to 4 dimensions");
        long bytes = -1;
        try {
            bytes = tensor.type().bytes(tensor.shape());
        } catch (ArithmeticException e) {
            refuseIf(true, "%s has an impossible shape: %s".formatted(one, e.getMessage()));
        }
        refuseIf(
                bytes != tensor.bytes(),
                "%s claims %d bytes; its shape gives %d".formatted(one, tensor.bytes(), bytes));
        refuseIf(
                tensor.offset() < 0
                        || tensor.offset() > manifest.fileBytes()
                        || bytes > manifest.fileBytes() - tensor.offset(),
                one + " lies outside the published file");
        refuseIf(!ModelDigest.isHex(tensor.sha256()), one + " has no SHA-256");
    }

    private void checkNamesAndRanges() throws GgufException {
        Set<String> names = new HashSet<>();
        for (TensorEntry tensor : manifest.tensors()) {
            refuseIf(
                    !names.add(tensor.name()),
                    "the tensor " + tensor.name() + " stands in it twice");
        }
        List<TensorEntry> sorted = new ArrayList<>(manifest.tensors());
        sorted.sort(Comparator.comparingLong(TensorEntry::offset));
        for (int i = 1; i < sorted.size(); i++) {
            TensorEntry before = sorted.get(i - 1);
            refuseIf(
                    before.offset() + before.bytes() > sorted.get(i).offset(),
                    "the tensors %s and %s overlap".formatted(before.name(), sorted.get(i).name()));
        }
    }

    private void checkModelTensors(ModelShape shape) throws GgufException {
        List<Set<String>> blocks = new ArrayList<>();
        for (int i = 0; i < shape.blockCount(); i++) {
            blocks.add(new HashSet<>());
        }
        Set<String> others = new HashSet<>();
        for (TensorEntry tensor : manifest.tensors()) {
            OptionalInt block = TensorNames.block(tensor.name());
            boolean known =
                    block.isPresent()
                            ? block.getAsInt() < shape.blockCount()
                            : TensorNames.known(tensor.name());
            refuseIf(
                    !known,
                    "the tensor %s has no place in a model of %d blocks of the architecture %s"
                            .formatted(
                                    GgufCursor.shown(tensor.name()),
                                    shape.blockCount(),
                                    shape.architecture().id()));
            if (block.isPresent()) {
                blocks.get(block.getAsInt()).add(TensorNames.inBlock(tensor.name()));
            } else {
                others.add(tensor.name());
            }
        }
        refuseMissing(shape, blocks, others);
    }

    private void refuseMissing(ModelShape shape, List<Set<String>> blocks, Set<String> others)
            throws GgufException {
        Architecture architecture = shape.architecture();
        refuseIf(
                !others.contains(TensorNames.OUTPUT_NORM),
                "the tensor %s is missing".formatted(TensorNames.OUTPUT_NORM));
        refuseIf(
                architecture.outputRequired() && !others.contains(TensorNames.OUTPUT),
                "the tensor %s is missing".formatted(TensorNames.OUTPUT));
        for (int block = 0; block < blocks.size(); block++) {
            for (List<String> alternatives : architecture.blockTensors()) {
                refuseIf(
                        alternatives.stream().noneMatch(blocks.get(block)::contains),
                        "block %d has no tensor %s"
                                .formatted(block, String.join(" or ", alternatives)));
            }
        }
        for (String matrix : List.of(TensorNames.EMBEDDING, TensorNames.OUTPUT)) {
            Optional<TensorEntry> tensor = manifest.tensor(matrix);
            refuseIf(
                    tensor.isPresent()
                            && (tensor.get().shape().size() != 2
                                    || tensor.get().shape().getFirst() != shape.width()),
                    "the tensor %s is no matrix %d wide".formatted(matrix, shape.width()));
        }
    }

    private void checkDerived(ModelShape shape) throws GgufException {
        int vocabulary = vocabulary(manifest.tensors());
        refuseIf(
                vocabulary < 1,
                "the tensor %s is missing or has no rows".formatted(TensorNames.EMBEDDING));
        refuseUnless("architecture", manifest.architecture(), shape.architecture().id());
        refuseUnless("blockCount", manifest.blockCount(), shape.blockCount());
        refuseUnless("width", manifest.width(), shape.width());
        refuseUnless("vocabulary", manifest.vocabulary(), vocabulary);
        refuseUnless("contextLength", manifest.contextLength(), shape.contextLength());
        refuseUnless("grain", manifest.grain(), shape.architecture().grain());
        refuseUnless(
                "quantization",
                manifest.quantization(),
                Quantization.label(manifest.metadata(), manifest.tensors()));
        refuseUnless(
                "digest",
                manifest.digest(),
                ModelDigest.of(manifest.metadata(), manifest.keyValues(), manifest.tensors()));
    }

    /** Rows of the embedding; 0 if there is none. */
    static int vocabulary(List<TensorEntry> tensors) {
        return tensors.stream()
                .filter(tensor -> tensor.name().equals(TensorNames.EMBEDDING))
                .filter(tensor -> tensor.shape().size() == 2)
                .mapToInt(tensor -> (int) Math.min(tensor.shape().get(1), Integer.MAX_VALUE))
                .findFirst()
                .orElse(0);
    }

    private void refuseUnless(String field, Object said, Object found) throws GgufException {
        refuseIf(
                !said.equals(found),
                "it says %s %s, and its contents give %s"
                        .formatted(field, GgufCursor.shown(said.toString()), found));
    }

    private void refuseIf(boolean wrong, String problem) throws GgufException {
        if (wrong) {
            throw new GgufException("%s is refused: %s".formatted(what, problem));
        }
    }
}
