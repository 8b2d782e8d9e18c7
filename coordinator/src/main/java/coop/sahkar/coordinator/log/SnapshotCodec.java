package coop.sahkar.coordinator.log;

import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.coordinator.state.AppliedCommand;
import coop.sahkar.coordinator.state.Cluster;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.CoordinatorRecord;
import coop.sahkar.coordinator.state.FeatureLevel;
import coop.sahkar.coordinator.state.Footprints;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.TicketKeyRecord;
import coop.sahkar.coordinator.state.WorkerRecord;
import coop.sahkar.proto.v1.AppliedEntry;
import coop.sahkar.proto.v1.PoolSnapshot;
import coop.sahkar.proto.v1.PublishEntry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** The whole state as bytes: equal states give equal bytes. */
public final class SnapshotCodec {
    private static final int FORMAT = 1;

    private SnapshotCodec() {}

    /** Writes a state. */
    public static void write(PoolState state, OutputStream out) throws IOException {
        PoolSnapshot.Builder snapshot =
                PoolSnapshot.newBuilder()
                        .setFormat(FORMAT)
                        .setPolicy(EntryAdapter.write(state.policy()))
                        .setPlacement(EntryAdapter.write(state.placement()));
        state.workers().values().forEach(w -> snapshot.addWorkers(EntryAdapter.write(w)));
        state.models().values().forEach(m -> snapshot.addModels(write(m)));
        state.ticketKeys().values().forEach(k -> snapshot.addTicketKeys(EntryAdapter.write(k)));
        AccountAdapter.write(state.accounts(), snapshot);
        state.recent().forEach(a -> snapshot.addRecent(write(a)));
        MembershipAdapter.write(state.members(), snapshot);
        snapshot.setLedger(LedgerAdapter.write(state.ledger()));
        state.cluster()
                .coordinators()
                .values()
                .forEach(c -> snapshot.addCoordinators(EntryAdapter.write(c)));
        snapshot.setLevel(state.cluster().level());
        snapshot.build().writeTo(out);
    }

    /** Writes a state to an array. */
    public static byte[] write(PoolState state) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            write(state, out);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory cannot fail", e);
        }
        return out.toByteArray();
    }

    /**
     * Reads a state.
     *
     * @throws LogFormatException if the bytes are no snapshot of a format known here
     */
    public static PoolState read(InputStream in) throws IOException {
        try {
            PoolSnapshot snapshot = PoolSnapshot.parseFrom(in);
            if (snapshot.getFormat() != FORMAT) {
                throw new LogFormatException(
                        "a snapshot has format %d; this release reads format %d: start a newer one"
                                .formatted(snapshot.getFormat(), FORMAT));
            }
            if (snapshot.getLevel() > FeatureLevel.KNOWN) {
                throw new LogFormatException(
                        "a snapshot needs feature level %d; this release knows level %d: start a newer one"
                                .formatted(snapshot.getLevel(), FeatureLevel.KNOWN));
            }
            return read(snapshot);
        } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
            throw new LogFormatException("a snapshot is garbled: " + e.getMessage());
        }
    }

    private static PoolState read(PoolSnapshot snapshot) {
        SortedMap<String, WorkerRecord> workers = new TreeMap<>();
        snapshot.getWorkersList().forEach(w -> workers.put(w.getId(), EntryAdapter.read(w)));
        SortedMap<String, ModelRecord> models = new TreeMap<>();
        snapshot.getModelsList().stream()
                .map(SnapshotCodec::record)
                .forEach(m -> models.put(m.id(), m));
        SortedMap<String, TicketKeyRecord> keys = new TreeMap<>();
        snapshot.getTicketKeysList().forEach(k -> keys.put(k.getKeyId(), EntryAdapter.read(k)));
        List<AppliedCommand> recent =
                snapshot.getRecentList().stream().map(SnapshotCodec::read).toList();
        return new PoolState(
                EntryAdapter.read(snapshot.getPolicy()),
                workers,
                models,
                EntryAdapter.read(snapshot.getPlacement()),
                keys,
                AccountAdapter.read(snapshot),
                LedgerAdapter.read(snapshot.getLedger()),
                cluster(snapshot),
                MembershipAdapter.read(snapshot),
                recent);
    }

    private static Cluster cluster(PoolSnapshot snapshot) {
        SortedMap<String, CoordinatorRecord> all = new TreeMap<>();
        snapshot.getCoordinatorsList().forEach(c -> all.put(c.getId(), EntryAdapter.read(c)));
        return new Cluster(all, snapshot.getLevel());
    }

    private static PublishEntry write(ModelRecord model) {
        PublishModel published =
                new PublishModel(
                        model.manifest(),
                        model.sources(),
                        model.minStages(),
                        model.publishedAtMillis());
        return EntryAdapter.write(published).toBuilder()
                .setGoneAtMillis(model.goneAtMillis())
                .build();
    }

    private static ModelRecord record(PublishEntry entry) {
        PublishModel p = EntryAdapter.read(entry);
        return new ModelRecord(
                p.manifest(),
                Footprints.of(p.manifest()),
                p.sources(),
                p.minStages(),
                p.atMillis(),
                entry.getGoneAtMillis());
    }

    private static AppliedEntry write(AppliedCommand applied) {
        AppliedEntry.Builder entry =
                AppliedEntry.newBuilder()
                        .setIdHigh(applied.id().high())
                        .setIdLow(applied.id().low());
        if (applied.refusal() != null) {
            entry.setRefusal(RefusalAdapter.write(applied.refusal()));
        }
        return entry.build();
    }

    private static AppliedCommand read(AppliedEntry entry) {
        return new AppliedCommand(
                new CommandId(entry.getIdHigh(), entry.getIdLow()),
                entry.hasRefusal() ? RefusalAdapter.read(entry.getRefusal()) : null);
    }
}
