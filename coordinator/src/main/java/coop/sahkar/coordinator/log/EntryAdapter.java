package coop.sahkar.coordinator.log;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.state.AssignedShard;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.CoordinatorRecord;
import coop.sahkar.coordinator.state.Encoded;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.coordinator.state.TicketKeyRecord;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.governance.Policy;
import coop.sahkar.governance.ledger.LedgerPolicy;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.CoordinatorEntry;
import coop.sahkar.proto.v1.PlacementEntry;
import coop.sahkar.proto.v1.PolicyEntry;
import coop.sahkar.proto.v1.PublishEntry;
import coop.sahkar.proto.v1.ShardEntry;
import coop.sahkar.proto.v1.SpanMessage;
import coop.sahkar.proto.v1.TicketKeyEntry;
import coop.sahkar.proto.v1.WorkerAssignment;
import coop.sahkar.proto.v1.WorkerEntry;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** The parts that log entries and snapshots share, there and back. */
final class EntryAdapter {
    private EntryAdapter() {}

    static WorkerEntry write(WorkerRecord w) {
        return WorkerEntry.newBuilder()
                .setId(w.id())
                .setEndpoint(w.endpoint())
                .setSoftware(w.software())
                .setLibrary(w.library())
                .setMemoryBytes(w.memoryBytes())
                .setDecodeBytesPerSecond(w.decodeBytesPerSecond())
                .setThreads(w.threads())
                .setRegisteredAtMillis(w.registeredAtMillis())
                .setOwner(w.owner())
                .build();
    }

    static WorkerRecord read(WorkerEntry w) {
        return new WorkerRecord(
                w.getId(),
                w.getEndpoint(),
                w.getSoftware(),
                w.getLibrary(),
                w.getMemoryBytes(),
                w.getDecodeBytesPerSecond(),
                w.getThreads(),
                w.getRegisteredAtMillis(),
                w.getOwner());
    }

    static PublishEntry write(PublishModel p) {
        return PublishEntry.newBuilder()
                .setManifest(ByteString.copyFrom(p.manifest().encoded().bytes()))
                .addAllSources(p.sources())
                .setMinStages(p.minStages())
                .setAtMillis(p.atMillis())
                .build();
    }

    static PublishModel read(PublishEntry p) {
        return new PublishModel(
                ManifestReader.read(p.getManifest().toByteArray()),
                p.getSourcesList(),
                p.getMinStages(),
                p.getAtMillis());
    }

    static PlacementEntry write(Placement placement) {
        PlacementEntry.Builder entry =
                PlacementEntry.newBuilder()
                        .setGeneration(placement.generation())
                        .setParent(placement.parent());
        placement
                .assignments()
                .forEach((worker, shards) ->
                        entry.addAssignments(
                                WorkerAssignment.newBuilder()
                                        .setWorkerId(worker)
                                        .addAllShards(
                                                shards.stream()
                                                        .map(EntryAdapter::write)
                                                        .toList())));
        return entry.build();
    }

    static Placement read(PlacementEntry entry) {
        SortedMap<String, List<AssignedShard>> assignments = new TreeMap<>();
        for (WorkerAssignment assignment : entry.getAssignmentsList()) {
            List<AssignedShard> shards =
                    assignment.getShardsList().stream().map(EntryAdapter::read).toList();
            assignments.put(assignment.getWorkerId(), shards);
        }
        return new Placement(entry.getGeneration(), entry.getParent(), assignments);
    }

    private static ShardEntry write(AssignedShard shard) {
        return ShardEntry.newBuilder()
                .setModelId(shard.modelId())
                .setSpan(
                        SpanMessage.newBuilder()
                                .setFirst(shard.span().first())
                                .setEnd(shard.span().end()))
                .setKvCells(shard.kvCells())
                .build();
    }

    private static AssignedShard read(ShardEntry shard) {
        return new AssignedShard(
                shard.getModelId(),
                new Span(shard.getSpan().getFirst(), shard.getSpan().getEnd()),
                shard.getKvCells());
    }

    static TicketKeyEntry write(TicketKeyRecord key) {
        return TicketKeyEntry.newBuilder()
                .setKeyId(key.keyId())
                .setPublicKey(ByteString.copyFrom(key.publicKey().bytes()))
                .build();
    }

    static TicketKeyRecord read(TicketKeyEntry key) {
        return new TicketKeyRecord(key.getKeyId(), new Encoded(key.getPublicKey().toByteArray()));
    }

    static CoordinatorEntry write(CoordinatorRecord c) {
        return CoordinatorEntry.newBuilder()
                .setId(c.id())
                .setGateway(c.gateway())
                .setKnowsLevel(c.knowsLevel())
                .setTicketKeyId(c.ticketKeyId())
                .build();
    }

    static CoordinatorRecord read(CoordinatorEntry c) {
        return new CoordinatorRecord(
                c.getId(), c.getGateway(), c.getKnowsLevel(), c.getTicketKeyId());
    }

    static PolicyEntry write(Policy p) {
        return PolicyEntry.newBuilder()
                .setMaxSessionPositions(p.maxSessionPositions())
                .setMaxConcurrentGenerations(p.maxConcurrentGenerations())
                .setDefaultAnswerTokens(p.defaultAnswerTokens())
                .setTicketLifetimeMillis(p.ticketLifetimeMillis())
                .setLeaseMillis(p.leaseMillis())
                .setReportIntervalMillis(p.reportIntervalMillis())
                .setDetachGraceMillis(p.detachGraceMillis())
                .setKvPositions(p.kvPositions())
                .setMinKvPositions(p.minKvPositions())
                .setRelayBytesPerSecond(p.relayBytesPerSecond())
                .setMaxWaitingGenerations(p.maxWaitingGenerations())
                .setMaxWaitMillis(p.maxWaitMillis())
                .setRestingSessionMillis(p.restingSessionMillis())
                .setLedger(LedgerAdapter.write(p.ledger()))
                .build();
    }

    static Policy read(PolicyEntry p) {
        return new Policy(
                p.getMaxSessionPositions(),
                p.getMaxConcurrentGenerations(),
                p.getDefaultAnswerTokens(),
                p.getTicketLifetimeMillis(),
                p.getLeaseMillis(),
                p.getReportIntervalMillis(),
                p.getDetachGraceMillis(),
                p.getKvPositions(),
                p.getMinKvPositions(),
                p.getRelayBytesPerSecond() == 0
                        ? Policy.DEFAULT.relayBytesPerSecond()
                        : p.getRelayBytesPerSecond(),
                p.getMaxWaitingGenerations(),
                p.getMaxWaitMillis(),
                p.getRestingSessionMillis(),
                p.hasLedger() ? LedgerAdapter.read(p.getLedger()) : LedgerPolicy.DEFAULT);
    }
}
