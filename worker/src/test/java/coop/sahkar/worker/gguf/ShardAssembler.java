package coop.sahkar.worker.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;

/**
 * Writes a shard's file from the tensors of its model, checking each tensor's digest on the way.
 */
public final class ShardAssembler implements GgufWriter.TensorData {
    private final ShardPlan plan;
    private final TensorSource source;
    private final MessageDigest digest = ModelDigest.sha256();

    private ShardAssembler(ShardPlan plan, TensorSource source) {
        this.plan = plan;
        this.source = source;
    }

    /**
     * Writes the shard.
     *
     * @param target where the whole shard will stand; while it is written it has another name
     * @throws IOException if a tensor cannot be had or does not have its digest, or the disk is
     *     full; {@code target} is then untouched
     */
    public static void assemble(ShardPlan plan, TensorSource source, Path target, Progress progress)
            throws IOException {
        GgufWriter.write(plan.layout(), new ShardAssembler(plan, source), target, progress);
    }

    @Override
    public boolean fill(int index, long offset, ByteBuffer destination) throws IOException {
        return switch (plan.pieces().get(index)) {
            case ShardPiece.Zero _ -> false;
            case ShardPiece.Copy(TensorEntry tensor, _) -> {
                int start = destination.position();
                source.read(tensor, offset, destination);
                digest.update(destination.duplicate().flip().position(start));
                yield true;
            }
        };
    }

    @Override
    public void finished(int index) throws IOException {
        String found = ModelDigest.hex(digest);
        if (plan.pieces().get(index) instanceof ShardPiece.Copy(TensorEntry tensor, _)
                && !found.equals(tensor.sha256())) {
            throw new GgufException(
                    "the tensor %s of %s arrived damaged: its SHA-256 is %s, not %s; fetch it again"
                            .formatted(tensor.name(), plan.modelId(), found, tensor.sha256()));
        }
    }
}
