package coop.sahkar.coordinator;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.log.ManifestReader;
import coop.sahkar.coordinator.state.ModelManifest;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.v1.Blob;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.TensorEntryMessage;
import java.util.List;

/**
 * Models and workers for tests. Sizes are small and round, so that sums can be done in the head.
 */
public final class Fixtures {
    /** Bytes of one block of {@link #manifest}: one F32 matrix of 64 × 64. */
    public static final long BLOCK_BYTES = 64 * 64 * 4;

    private static final ByteString SHA = ByteString.copyFrom(new byte[32]);

    private Fixtures() {}

    /** A model with tied embedding of 32 rows of 64 floats and {@code blocks} equal blocks. */
    public static Manifest manifest(String name, int blocks) {
        Manifest.Builder manifest =
                Manifest.newBuilder()
                        .setName(name)
                        .setDigest(ByteString.copyFrom(digest(name)))
                        .setArchitecture("llama")
                        .setBlockCount(blocks)
                        .setWidth(64)
                        .setVocabulary(32)
                        .setContextLength(512)
                        .setQuantization("F32")
                        .setGrain(1)
                        .setOldestLlama("b4916")
                        .setGgufVersion(3)
                        .setKvBytesPerPositionPerBlock(16);
        long offset = 1024;
        offset = add(manifest, "token_embd.weight", offset, List.of(64L, 32L));
        for (int i = 0; i < blocks; i++) {
            offset = add(manifest, "blk." + i + ".attn_q.weight", offset, List.of(64L, 64L));
        }
        offset = add(manifest, "output_norm.weight", offset, List.of(64L));
        return manifest.setFileBytes(offset)
                .setKeyValues(Blob.newBuilder().setOffset(24).setBytes(1000).setSha256(SHA))
                .build();
    }

    /** The same as the state keeps it. */
    public static ModelManifest model(String name, int blocks) {
        return ManifestReader.read(manifest(name, blocks).toByteArray());
    }

    /** A worker that lends {@code memoryBytes} and passes {@code speed} bytes per second. */
    public static WorkerRecord worker(String id, long memoryBytes, long speed) {
        return new WorkerRecord(
                id, id + ".test:4000", "0.1.0", "llama.cpp b4916", memoryBytes, speed, 1, 7);
    }

    private static byte[] digest(String name) {
        byte[] digest = new byte[32];
        digest[0] = (byte) name.hashCode();
        return digest;
    }

    private static long add(Manifest.Builder manifest, String name, long offset, List<Long> shape) {
        long bytes = shape.stream().reduce(4L, (a, b) -> a * b);
        manifest.addTensors(
                TensorEntryMessage.newBuilder()
                        .setName(name)
                        .setType(0)
                        .addAllShape(shape)
                        .setData(
                                Blob.newBuilder()
                                        .setOffset(offset)
                                        .setBytes(bytes)
                                        .setSha256(SHA)));
        return offset + bytes;
    }
}
