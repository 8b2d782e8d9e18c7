package coop.sahkar.deploy.bench;

import static java.util.Objects.requireNonNull;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.gguf.GgufException;
import coop.sahkar.worker.gguf.GgufFile;
import coop.sahkar.worker.gguf.GgufTensor;
import coop.sahkar.worker.gguf.GgufWriter;
import coop.sahkar.worker.gguf.ManifestBuilder;
import coop.sahkar.worker.gguf.ModelManifest;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.ShardPiece;
import coop.sahkar.worker.gguf.ShardPlan;
import coop.sahkar.worker.llama.LlamaLibrary;
import coop.sahkar.worker.llama.StageOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The ceiling of a chain on this machine: the parts that the workers hold, in this process, on a
 * thread for each. They hand the hidden states over in memory and never sleep, so what this loses
 * against the whole model no link and no engine can win back: it is lost because the processors
 * take turns.
 */
final class Parts implements AutoCloseable {
    private final List<Part> parts;
    private @Nullable Relay prefilled;

    private Parts(List<Part> parts) {
        this.parts = List.copyOf(parts);
    }

    /**
     * Cuts a model as the workers have it, and begins to load the parts.
     *
     * @param spans in the order of the chain
     * @param folder takes the shards
     */
    static Parts cut(
            LlamaLibrary library, Path model, List<Span> spans, Path folder, BenchPlan plan)
            throws IOException, InterruptedException {
        try (GgufFile file = GgufFile.open(model)) {
            ModelManifest manifest =
                    ManifestBuilder.build(file, ManifestBuilder.nameOf(model), 1, Progress.NONE);
            StageOptions options = WholeModel.options(plan.threads(), plan.kvPositions());
            List<Part> parts = new ArrayList<>();
            for (Span span : spans) {
                Path shard = folder.resolve("part-%d.gguf".formatted(span.first()));
                ShardPlan shardPlan = ShardPlan.of(manifest, span, file.metadata());
                GgufWriter.write(
                        shardPlan.layout(),
                        (index, offset, into) ->
                                copy(file, shardPlan.pieces().get(index), offset, into),
                        shard,
                        Progress.NONE);
                parts.add(new Part(library, shard, span, manifest.blockCount(), options));
            }
            return new Parts(parts);
        }
    }

    private static boolean copy(GgufFile file, ShardPiece piece, long offset, ByteBuffer into)
            throws IOException {
        return switch (piece) {
            case ShardPiece.Zero _ -> false;
            case ShardPiece.Copy(var source, _) -> {
                GgufTensor tensor =
                        file.tensor(source.name())
                                .orElseThrow(() -> new GgufException(source.name() + " is gone"));
                into.put(file.data(tensor).asSlice(offset, into.remaining()).asByteBuffer());
                yield true;
            }
        };
    }

    /** Computes a prompt, after which it may be {@linkplain #decode gone on} from. */
    void prefill(int[] prompt) throws InterruptedException {
        Relay relay = Relay.prefill(parts.size(), prompt);
        var _ = play(relay);
        prefilled = relay;
    }

    /**
     * Goes on from the prompt computed last, greedily, as often as it is asked.
     *
     * @param tokens of the answer, the first of which is there already
     * @return tokens per second from the first to the last
     */
    double decode(int tokens) throws InterruptedException {
        return play(requireNonNull(prefilled, "no prompt was computed").decode(tokens));
    }

    private double play(Relay relay) throws InterruptedException {
        for (int i = 0; i < parts.size(); i++) {
            parts.get(i).play(relay, i);
        }
        return relay.finish();
    }

    @Override
    public void close() {
        parts.forEach(Part::close);
    }
}
