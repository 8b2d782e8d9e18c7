package coop.sahkar.deploy.simulate;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.log.ManifestReader;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.proto.v1.Blob;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.TensorEntryMessage;
import java.util.List;

/** Manifests of models that do not exist, of sizes that people run. */
final class SimulatedModels {
    private static final long MEGABYTE = 1_000_000;

    /** ggml's number of the type whose elements are bytes. */
    private static final int BYTES = 24;

    private static final int SHA256_BYTES = 32;
    private static final ByteString CHECKSUM = ByteString.copyFrom(new byte[SHA256_BYTES]);
    private static final long HEADER_BYTES = 4096;

    private SimulatedModels() {}

    /** The model of a number; sizes by chance. */
    static ModelManifest draw(int number, Chance chance) {
        int blocks = (int) chance.spread(4, 48);
        long blockBytes = chance.spread(20 * MEGABYTE, 160 * MEGABYTE);
        long embeddingBytes = chance.spread(20 * MEGABYTE, 300 * MEGABYTE);
        int grain = chance.happens(0.2) ? Math.min(blocks, 1 + chance.below(4)) : 1;
        byte[] digest = new byte[SHA256_BYTES];
        digest[0] = (byte) (number >> 8);
        digest[1] = (byte) number;
        Manifest.Builder manifest =
                Manifest.newBuilder()
                        .setName("model-" + number)
                        .setDigest(ByteString.copyFrom(digest))
                        .setArchitecture("llama")
                        .setBlockCount(blocks)
                        .setWidth(4096)
                        .setVocabulary(32_000)
                        .setContextLength(8192)
                        .setQuantization("Q4_K")
                        .setGrain(grain)
                        .setOldestLlama("b4916")
                        .setGgufVersion(3)
                        .setAttentionHeads(32)
                        .setKvBytesPerPositionPerBlock(chance.spread(1024, 8192));
        long offset = add(manifest, "token_embd.weight", HEADER_BYTES, embeddingBytes);
        for (int i = 0; i < blocks; i++) {
            offset = add(manifest, "blk." + i + ".ffn_up.weight", offset, blockBytes);
        }
        offset = add(manifest, "output_norm.weight", offset, 4096);
        manifest.setFileBytes(offset).setKeyValues(blob(24, HEADER_BYTES - 24));
        return ManifestReader.read(manifest.build().toByteArray());
    }

    private static long add(Manifest.Builder manifest, String name, long offset, long bytes) {
        manifest.addTensors(
                TensorEntryMessage.newBuilder()
                        .setName(name)
                        .setType(BYTES)
                        .addAllShape(List.of(bytes))
                        .setData(blob(offset, bytes)));
        return offset + bytes;
    }

    private static Blob blob(long offset, long bytes) {
        return Blob.newBuilder().setOffset(offset).setBytes(bytes).setSha256(CHECKSUM).build();
    }
}
