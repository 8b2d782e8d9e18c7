package coop.sahkar.worker.store;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.Blob;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.TensorEntryMessage;
import coop.sahkar.worker.gguf.GgufException;
import coop.sahkar.worker.gguf.KeyValueSection;
import coop.sahkar.worker.gguf.ManifestCheck;
import coop.sahkar.worker.gguf.Metadata;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.ModelSizes;
import coop.sahkar.worker.gguf.TensorEntry;
import coop.sahkar.worker.gguf.TensorType;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Manifests as they cross the wire. */
public final class ManifestCodec {
    private static final HexFormat HEX = HexFormat.of();

    private ManifestCodec() {}

    /**
     * Writes a manifest down.
     *
     * @throws GgufException if it would not pass {@link ManifestCheck}
     */
    public static Manifest encode(ModelManifest manifest) throws GgufException {
        KeyValueSection keyValues = manifest.keyValues();
        Manifest.Builder wire =
                Manifest.newBuilder()
                        .setName(manifest.name())
                        .setDigest(bytes(manifest.digest()))
                        .setArchitecture(manifest.architecture())
                        .setBlockCount(manifest.blockCount())
                        .setWidth(manifest.width())
                        .setVocabulary(manifest.vocabulary())
                        .setContextLength(manifest.contextLength())
                        .setQuantization(manifest.quantization())
                        .setGrain(manifest.grain())
                        .setOldestLlama(manifest.oldestRelease().title())
                        .setGgufVersion(manifest.ggufVersion())
                        .setFileBytes(manifest.fileBytes())
                        .setMetadata(ByteString.copyFrom(manifest.metadata().encoded()))
                        .setMetadataCount(manifest.metadata().keys().size())
                        .setKeyValues(
                                blob(keyValues.offset(), keyValues.bytes(), keyValues.sha256()))
                        .setKeyValuesCount(keyValues.count())
                        .setAttentionHeads(ModelSizes.attentionHeads(manifest))
                        .setKvBytesPerPositionPerBlock(
                                ModelSizes.of(manifest).kvBytesPerPosition().stream()
                                        .mapToLong(Long::longValue)
                                        .max()
                                        .orElse(0));
        for (TensorEntry tensor : manifest.tensors()) {
            wire.addTensors(
                    TensorEntryMessage.newBuilder()
                            .setName(tensor.name())
                            .setType(tensor.type().id())
                            .addAllShape(tensor.shape())
                            .setData(blob(tensor.offset(), tensor.bytes(), tensor.sha256())));
        }
        return wire.build();
    }

    /**
     * Reads and checks a manifest.
     *
     * @throws GgufException if anything in it is wrong; the sentence says what
     */
    public static ModelManifest decode(Manifest wire) throws GgufException {
        if (wire.getTensorsCount() > Limits.MAX_TENSORS) {
            throw new GgufException(
                    "the manifest lists %d tensors; at most %d are taken"
                            .formatted(wire.getTensorsCount(), Limits.MAX_TENSORS));
        }
        Metadata metadata =
                Metadata.decode(wire.getMetadata().toByteArray(), "the manifest's metadata");
        List<TensorEntry> tensors = new ArrayList<>();
        for (TensorEntryMessage tensor : wire.getTensorsList()) {
            tensors.add(tensor(tensor));
        }
        ModelManifest manifest =
                new ModelManifest(
                        wire.getName(),
                        hex(wire.getDigest()),
                        wire.getArchitecture(),
                        wire.getBlockCount(),
                        wire.getWidth(),
                        wire.getVocabulary(),
                        wire.getContextLength(),
                        wire.getQuantization(),
                        wire.getGrain(),
                        wire.getGgufVersion(),
                        metadata,
                        new KeyValueSection(
                                wire.getKeyValues().getOffset(),
                                wire.getKeyValues().getBytes(),
                                hex(wire.getKeyValues().getSha256()),
                                wire.getKeyValuesCount()),
                        tensors,
                        wire.getFileBytes());
        ManifestCheck.require(manifest);
        return manifest;
    }

    private static TensorEntry tensor(TensorEntryMessage wire) throws GgufException {
        TensorType type =
                TensorType.ofId(wire.getType())
                        .orElseThrow(() ->
                                new GgufException(
                                        "a tensor of the manifest is of type %d, which is"
                                                        .formatted(wire.getType())
                                                + " not known here; update this worker"));
        Blob data = wire.getData();
        return new TensorEntry(
                wire.getName(),
                type,
                wire.getShapeList(),
                data.getOffset(),
                data.getBytes(),
                hex(data.getSha256()));
    }

    private static Blob blob(long offset, long bytes, String sha256) {
        return Blob.newBuilder().setOffset(offset).setBytes(bytes).setSha256(bytes(sha256)).build();
    }

    private static ByteString bytes(String hex) {
        return ByteString.copyFrom(HEX.parseHex(hex));
    }

    private static String hex(ByteString bytes) {
        return HEX.formatHex(bytes.toByteArray());
    }
}
