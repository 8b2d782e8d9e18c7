package coop.sahkar.worker.store;

import coop.sahkar.proto.Span;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.worker.gguf.GgufException;
import coop.sahkar.worker.gguf.GgufTensor;
import coop.sahkar.worker.gguf.KeyValueSection;
import coop.sahkar.worker.gguf.Metadata;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.ShardPiece;
import coop.sahkar.worker.gguf.ShardPlan;
import coop.sahkar.worker.gguf.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/** Gets shards of published models onto this machine's disk. Safe for use by many threads. */
public final class ShardStore {
    private final TensorStore files;
    private final FetchPolicy policy;
    private final Transport transport;

    public ShardStore(TensorStore files, FetchPolicy policy, Transport transport) {
        this.files = files;
        this.policy = policy;
        this.transport = transport;
    }

    /**
     * Makes a shard complete on the disk and holds it there. Blocks.
     *
     * @param manifest one that was checked
     * @param sources where the model's bytes can be had
     * @throws StoreException if it cannot be had; another try goes on where this one ended
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public StoredFile obtain(
            ModelManifest manifest,
            Span span,
            List<String> sources,
            FetchProgress progress,
            Cancellation cancellation)
            throws StoreException, InterruptedException {
        List<Source> all = new ArrayList<>();
        all.add(new LocalSource(files));
        all.addAll(Sources.open(sources, policy, transport));
        try (PieceFetcher fetcher = new PieceFetcher(manifest.id(), all, policy)) {
            Metadata metadata = manifest.metadata();
            if (manifest.needsTokenizer(span)) {
                metadata = keyValues(manifest, fetcher, cancellation);
            }
            ShardLayout layout = layout(ShardPlan.of(manifest, span, metadata));
            StoredKey key = StoredKey.shard(manifest.id(), span);
            return files.obtain(key, layout, fetcher, progress, cancellation);
        } catch (GgufException e) {
            throw new StoreException(String.valueOf(e.getMessage()), e);
        }
    }

    private Metadata keyValues(
            ModelManifest manifest, PieceFetcher fetcher, Cancellation cancellation)
            throws StoreException, GgufException, InterruptedException {
        Piece piece = keyValues(manifest);
        ShardLayout layout =
                new ShardLayout(
                        piece.bytes(), List.of(), List.of(new ShardLayout.Placed(piece, 0)));
        StoredKey key = StoredKey.keyValues(manifest.id());
        try (StoredFile stored =
                files.obtain(key, layout, fetcher, FetchProgress.SILENT, cancellation)) {
            return Metadata.decode(
                    Files.readAllBytes(stored.path()),
                    "the key-value section of " + manifest.shortId());
        } catch (GgufException e) {
            throw e;
        } catch (IOException e) {
            throw new StoreException("the key-value section cannot be read: " + e, e);
        }
    }

    static Piece keyValues(ModelManifest manifest) {
        KeyValueSection section = manifest.keyValues();
        return new Piece(Piece.KEY_VALUES, section.offset(), section.bytes(), section.sha256());
    }

    static Piece piece(TensorEntry tensor) {
        return new Piece(tensor.name(), tensor.offset(), tensor.bytes(), tensor.sha256());
    }

    static ShardLayout layout(ShardPlan plan) {
        List<ShardLayout.Placed> placed = new ArrayList<>();
        List<GgufTensor> tensors = plan.layout().tensors();
        for (int i = 0; i < tensors.size(); i++) {
            if (plan.pieces().get(i) instanceof ShardPiece.Copy(TensorEntry source, _)) {
                placed.add(new ShardLayout.Placed(piece(source), tensors.get(i).offset()));
            }
        }
        ByteBuffer header = ByteBuffer.wrap(plan.layout().header());
        return new ShardLayout(
                plan.fileBytes(), List.of(new ShardLayout.Literal(0, header)), placed);
    }
}
