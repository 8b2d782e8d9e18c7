package coop.sahkar.worker.gguf;

import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * What the shard of a span consists of, decided before a byte is fetched.
 *
 * <p>A shard is a small model of its own that unmodified llama.cpp loads: the blocks renumbered
 * from 0, and an embedding, an output norm and (for some architectures) an output matrix because
 * the loader insists on them. Where the stage does not compute with one of these it is zeros; where
 * the loader lets the embedding stand for the output matrix, the tail keeps its output matrix under
 * the embedding's name, one matrix instead of two.
 */
public final class ShardPlan {
    private final String modelId;
    private final Span span;
    private final Metadata metadata;
    private final List<ShardPiece> pieces;
    private final GgufLayout layout;

    private ShardPlan(String modelId, Span span, Metadata metadata, List<ShardPiece> pieces) {
        this.modelId = modelId;
        this.span = span;
        this.metadata = metadata;
        this.pieces = List.copyOf(pieces);
        this.layout =
                GgufLayout.of(
                        metadata,
                        pieces.stream()
                                .map(piece ->
                                        new GgufLayout.Slot(
                                                piece.name(), piece.type(), piece.shape()))
                                .toList());
    }

    /**
     * Plans the shard of {@code span}.
     *
     * @param manifest one that passed {@link ManifestCheck}
     * @param keyValues all key-value pairs of the published file if the span {@linkplain
     *     ModelManifest#needsTokenizer needs the tokenizer}, else the manifest's
     * @throws GgufException if the model may not be cut there, or the key-value pairs are not the
     *     model's
     */
    public static ShardPlan of(ModelManifest manifest, Span span, Metadata keyValues)
            throws GgufException {
        if (!manifest.cuts().allow(span)) {
            throw new GgufException(
                    "%s has %d blocks and is cut at multiples of %d, no part smaller; not at %s"
                            .formatted(
                                    manifest.shortId(),
                                    manifest.blockCount(),
                                    manifest.grain(),
                                    span));
        }
        if (manifest.needsTokenizer(span)) {
            ManifestCheck.requireKeyValues(manifest, keyValues);
        }
        return new ShardPlan(
                manifest.id(),
                span,
                ShardMetadata.of(manifest, span, keyValues),
                new Pieces(manifest, span).choose());
    }

    public String modelId() {
        return modelId;
    }

    public Span span() {
        return span;
    }

    /** The shard's own key-value pairs. */
    public Metadata metadata() {
        return metadata;
    }

    /** The shard's tensors in the order of its file; {@link #layout} says where each goes. */
    public List<ShardPiece> pieces() {
        return pieces;
    }

    /** The shard's file: header, and the tensors in the order of {@link #pieces}. */
    public GgufLayout layout() {
        return layout;
    }

    /** The tensors of the model that must be had, each once. */
    public List<TensorEntry> needed() {
        return pieces.stream()
                .filter(ShardPiece.Copy.class::isInstance)
                .map(piece -> ((ShardPiece.Copy) piece).source())
                .distinct()
                .toList();
    }

    /** How long the shard's file will be; zeros may take no room on the disk. */
    public long fileBytes() {
        return layout.fileBytes();
    }

    /** Chooses the tensors of one shard. */
    private static final class Pieces {
        private final ModelManifest manifest;
        private final Span span;
        private final boolean tail;
        private final boolean outputRequired;
        private final List<ShardPiece> chosen = new ArrayList<>();

        Pieces(ModelManifest manifest, Span span) {
            this.manifest = manifest;
            this.span = span;
            this.tail = span.isTail(manifest.blockCount());
            this.outputRequired =
                    Architecture.ofId(manifest.architecture()).orElseThrow().outputRequired();
        }

        List<ShardPiece> choose() {
            embeddingAndOutput();
            for (TensorEntry tensor : manifest.tensors()) {
                OptionalInt block = TensorNames.block(tensor.name());
                if (TensorNames.SHARED.contains(tensor.name())) {
                    chosen.add(new ShardPiece.Copy(tensor, tensor.name()));
                } else if (block.isPresent() && span.contains(block.getAsInt())) {
                    String suffix = TensorNames.inBlock(tensor.name());
                    int renumbered = block.getAsInt() - span.first();
                    String name = TensorNames.inBlock(renumbered, suffix);
                    chosen.add(new ShardPiece.Copy(tensor, name));
                }
            }
            return chosen;
        }

        private void embeddingAndOutput() {
            TensorEntry embedding = manifest.tensor(TensorNames.EMBEDDING).orElseThrow();
            TensorEntry output = manifest.tensor(TensorNames.OUTPUT).orElse(embedding);
            boolean ownOutput = outputRequired || (tail && span.isHead() && !manifest.tied());
            if (span.isHead()) {
                chosen.add(new ShardPiece.Copy(embedding, TensorNames.EMBEDDING));
            } else if (tail && !ownOutput) {
                chosen.add(new ShardPiece.Copy(output, TensorNames.EMBEDDING));
            } else {
                chosen.add(zeros(TensorNames.EMBEDDING));
            }
            if (ownOutput) {
                chosen.add(
                        tail
                                ? new ShardPiece.Copy(output, TensorNames.OUTPUT)
                                : zeros(TensorNames.OUTPUT));
            }
        }

        private ShardPiece zeros(String name) {
            boolean tokens = span.isHead() || tail;
            long rows = tokens ? manifest.vocabulary() : ShardMetadata.MIDDLE_VOCABULARY;
            long width = manifest.width();
            TensorType type =
                    TensorType.Q4_0.fitsRows(width) && tokens ? TensorType.Q4_0 : TensorType.F32;
            return new ShardPiece.Zero(name, type, List.of(width, rows));
        }
    }
}
