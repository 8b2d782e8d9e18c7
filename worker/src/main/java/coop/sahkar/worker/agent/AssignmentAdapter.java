package coop.sahkar.worker.agent;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.AssignedShard;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.worker.store.ShardKey;
import java.util.ArrayList;
import java.util.List;

/** Assignments as they come over the wire. */
final class AssignmentAdapter {
    private static final int MAX_SHARDS = 256;
    private static final int MAX_SOURCES = 256;

    private AssignmentAdapter() {}

    /**
     * Reads an assignment.
     *
     * @throws IllegalArgumentException in a sentence, if it breaks the protocol
     */
    static Desired read(Assignment wire) {
        if (wire.getShardsCount() > MAX_SHARDS) {
            throw new IllegalArgumentException(
                    "an assignment of %d shards; at most %d are taken"
                            .formatted(wire.getShardsCount(), MAX_SHARDS));
        }
        List<DesiredShard> shards = new ArrayList<>();
        for (AssignedShard shard : wire.getShardsList()) {
            int cells = shard.getKvCells();
            if (cells < 1 || cells > Limits.MAX_POSITIONS) {
                throw new IllegalArgumentException(
                        "an assignment asks for %s positions; 1 to %d are possible"
                                .formatted(Integer.toUnsignedString(cells), Limits.MAX_POSITIONS));
            }
            ShardKey key = new ShardKey(shard.getModelId(), Wire.fromWire(shard.getSpan()));
            List<String> sources =
                    shard.getSourcesList()
                            .subList(0, Math.min(MAX_SOURCES, shard.getSourcesCount()));
            shards.add(new DesiredShard(key, cells, sources));
        }
        return new Desired(wire.getGeneration(), shards);
    }
}
