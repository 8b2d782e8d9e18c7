package coop.sahkar.coordinator.log;

import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.coordinator.state.Encoded;
import coop.sahkar.coordinator.state.ManifestRules;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.LlamaRelease;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.TensorEntryMessage;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Reads what a coordinator must know of a manifest. Judging it is left to the state's rules. */
public final class ManifestReader {
    private ManifestReader() {}

    /**
     * Reads a manifest from the bytes it was published in.
     *
     * @throws LogFormatException in a sentence, if they are no manifest or a number overflows
     */
    public static ModelManifest read(byte[] encoded) {
        if (encoded.length > ManifestRules.MAX_MANIFEST_BYTES) {
            throw new LogFormatException(
                    "the manifest has %d bytes; at most %d are taken"
                            .formatted(encoded.length, ManifestRules.MAX_MANIFEST_BYTES));
        }
        try {
            return read(Manifest.parseFrom(encoded), encoded);
        } catch (InvalidProtocolBufferException e) {
            throw new LogFormatException("the manifest is garbled: " + e.getMessage());
        }
    }

    private static ModelManifest read(Manifest m, byte[] encoded) {
        if (m.getTensorsCount() > Limits.MAX_TENSORS) {
            throw new LogFormatException(
                    "the manifest lists %d tensors; at most %d are taken"
                            .formatted(m.getTensorsCount(), Limits.MAX_TENSORS));
        }
        List<ModelManifest.Tensor> tensors = new ArrayList<>(m.getTensorsCount());
        for (TensorEntryMessage tensor : m.getTensorsList()) {
            tensors.add(
                    new ModelManifest.Tensor(
                            tensor.getName(),
                            tensor.getType(),
                            tensor.getShapeList(),
                            tensor.getData().getOffset(),
                            tensor.getData().getBytes(),
                            tensor.getData().getSha256().size()));
        }
        return new ModelManifest(
                m.getName(),
                HexFormat.of().formatHex(m.getDigest().toByteArray()),
                m.getArchitecture(),
                m.getQuantization(),
                m.getBlockCount(),
                m.getWidth(),
                m.getVocabulary(),
                m.getContextLength(),
                m.getGrain(),
                LlamaRelease.named(m.getOldestLlama()),
                m.getFileBytes(),
                m.getKvBytesPerPositionPerBlock(),
                m.getAttentionHeads(),
                m.getKeyValues().getBytes(),
                tensors,
                new Encoded(encoded));
    }
}
