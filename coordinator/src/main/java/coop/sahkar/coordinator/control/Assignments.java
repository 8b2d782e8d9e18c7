package coop.sahkar.coordinator.control;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.TicketKey;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.function.Predicate;

/**
 * What a worker should hold, as the placement in force says it, and where it can fetch that. Pure.
 */
final class Assignments {
    /** Peers named as sources of one shard, besides the published sources. */
    private static final int MAX_PEERS = 8;

    private static final String SCHEME = "sahkar://";

    private Assignments() {}

    static Assignment of(
            PoolState state, SortedMap<String, WorkerPresence> presence, String workerId) {
        Assignment.Builder assignment =
                Assignment.newBuilder()
                        .setGeneration(state.placement().generation())
                        .addAllTicketKeys(keys(state));
        shards(state, presence, workerId).forEach(assignment::addShards);
        return assignment.build();
    }

    /**
     * The same to one that is about to leave: where its part of a model cannot be replaced, the
     * placement keeps it for its return, but it need not wait.
     *
     * @param replaceable whether a model, by id, is whole without those that leave
     */
    static Assignment ofLeaver(Assignment assignment, Predicate<String> replaceable) {
        return assignment.toBuilder()
                .clearShards()
                .addAllShards(
                        assignment.getShardsList().stream()
                                .filter(shard -> replaceable.test(shard.getModelId()))
                                .toList())
                .build();
    }

    static List<coop.sahkar.proto.v1.AssignedShard> shards(
            PoolState state, SortedMap<String, WorkerPresence> presence, String workerId) {
        List<coop.sahkar.proto.v1.AssignedShard> shards = new ArrayList<>();
        for (AssignedShard shard : state.placement().of(workerId)) {
            ModelRecord model = state.models().get(shard.modelId());
            if (model != null) {
                shards.add(
                        coop.sahkar.proto.v1.AssignedShard.newBuilder()
                                .setModelId(shard.modelId())
                                .setSpan(Wire.toWire(shard.span()))
                                .addAllSources(model.sources())
                                .addAllSources(peers(state, presence, workerId, shard))
                                .setKvCells(shard.kvCells())
                                .build());
            }
        }
        return shards;
    }

    /**
     * Workers that hold tensors of the shard. None for a shard that is served already: it needs no
     * source, and naming them would make every change elsewhere a new assignment here.
     */
    private static List<String> peers(
            PoolState state,
            SortedMap<String, WorkerPresence> presence,
            String workerId,
            AssignedShard shard) {
        WorkerPresence self = presence.get(workerId);
        if (self != null && holds(self, shard.modelId(), shard.span(), true)) {
            return List.of();
        }
        return presence.values().stream()
                .filter(p -> !p.workerId().equals(workerId))
                .filter(p -> p.reach() == Reach.DIRECT || p.reach() == Reach.RELAYED)
                .filter(p -> holds(p, shard.modelId(), shard.span(), false))
                .sorted(Comparator.comparing(p -> p.reach() == Reach.RELAYED))
                .map(p -> source(state, p))
                .limit(MAX_PEERS)
                .toList();
    }

    private static String source(PoolState state, WorkerPresence worker) {
        WorkerRecord record = state.workers().get(worker.workerId());
        return worker.reach() == Reach.DIRECT && record != null
                ? SCHEME + record.endpoint()
                : SCHEME + worker.relayEndpoint();
    }

    /** Whether a worker is told to fetch from another, through this coordinator's relay. */
    static boolean namesRelayed(
            PoolState state,
            SortedMap<String, WorkerPresence> presence,
            String workerId,
            String sourceId) {
        WorkerPresence source = presence.get(sourceId);
        return source != null
                && source.reach() == Reach.RELAYED
                && shards(state, presence, workerId).stream()
                        .anyMatch(
                                s -> s.getSourcesList().contains(SCHEME + source.relayEndpoint()));
    }

    private static boolean holds(
            WorkerPresence worker, String modelId, Span span, boolean exactly) {
        for (ShardStatus shard : worker.shards()) {
            boolean overlaps =
                    shard.span().first() < span.end() && span.first() < shard.span().end();
            boolean fits = exactly ? shard.span().equals(span) : overlaps;
            if (shard.serving() && shard.modelId().equals(modelId) && fits) {
                return true;
            }
        }
        return false;
    }

    static List<TicketKey> keys(PoolState state) {
        return state.ticketKeys().values().stream()
                .map(k ->
                        TicketKey.newBuilder()
                                .setKeyId(k.keyId())
                                .setPublicKey(ByteString.copyFrom(k.publicKey().bytes()))
                                .build())
                .toList();
    }
}
