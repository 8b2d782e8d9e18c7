package coop.sahkar.coordinator.state;

import coop.sahkar.proto.ShardBuffers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Computes what a model's parts weigh from the names and sizes of its tensors. */
public final class Footprints {
    static final String EMBEDDING = "token_embd.weight";
    static final String OUTPUT = "output.weight";
    static final String OUTPUT_NORM = "output_norm.weight";

    private static final Pattern BLOCK = Pattern.compile("blk\\.([0-9]{1,4})\\..+");

    private Footprints() {}

    /** The footprint of a manifest that {@link ManifestRules} lets pass. */
    public static ModelFootprint of(ModelManifest manifest) {
        long[] blocks = new long[manifest.blockCount()];
        long embedding = 0;
        long output = 0;
        long shared = 0;
        for (ModelManifest.Tensor tensor : manifest.tensors()) {
            OptionalInt block = block(tensor.name());
            if (block.isPresent()) {
                blocks[block.getAsInt()] += tensor.bytes();
            } else if (tensor.name().equals(EMBEDDING)) {
                embedding = tensor.bytes();
            } else if (tensor.name().equals(OUTPUT)) {
                output = tensor.bytes();
            } else {
                shared += tensor.bytes();
            }
        }
        boolean tied = output == 0;
        List<Long> perBlock = new ArrayList<>(Arrays.stream(blocks).boxed().toList());
        return new ModelFootprint(
                perBlock,
                embedding,
                tied ? embedding : output,
                tied,
                shared,
                manifest.kvBytesPerPositionPerBlock(),
                ShardBuffers.of(
                        manifest.width(), manifest.vocabulary(), manifest.attentionHeads()));
    }

    /** The block a tensor belongs to; empty for those outside the blocks. */
    static OptionalInt block(String tensorName) {
        Matcher matcher = BLOCK.matcher(tensorName);
        return matcher.matches()
                ? OptionalInt.of(Integer.parseInt(matcher.group(1)))
                : OptionalInt.empty();
    }
}
