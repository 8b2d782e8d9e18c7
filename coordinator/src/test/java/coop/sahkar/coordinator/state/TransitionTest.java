package coop.sahkar.coordinator.state;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.log.ManifestReader;
import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.state.Command.AddKey;
import coop.sahkar.coordinator.state.Command.AdoptPlacement;
import coop.sahkar.coordinator.state.Command.ForgetWorker;
import coop.sahkar.coordinator.state.Command.PublishModel;
import coop.sahkar.coordinator.state.Command.PutAccount;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.Command.RevokeKey;
import coop.sahkar.coordinator.state.Command.WithdrawModel;
import coop.sahkar.coordinator.state.Refusal.Reason;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.ApiKey;
import coop.sahkar.governance.Role;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.Manifest;
import coop.sahkar.proto.v1.PoolSnapshot;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class TransitionTest {
    private static final ModelManifest TINY = Fixtures.model("tiny", 6);
    private static final List<String> SOURCES = List.of("http://host/tiny.gguf");

    private PoolState state = PoolState.EMPTY;
    private long lastId;

    @Test
    void publishesAndComputesWhatTheBlocksWeigh() {
        accept(new PublishModel(TINY, SOURCES, 3, 11));
        ModelRecord model = Objects.requireNonNull(state.models().get(TINY.id()));
        assertThat(model.footprint().blockBytes()).hasSize(6).containsOnly(Fixtures.BLOCK_BYTES);
        assertThat(model.footprint().tied()).isTrue();
        assertThat(model.footprint().decodeBytes(new Span(0, 6)))
                .isEqualTo(6 * Fixtures.BLOCK_BYTES + 64 * 32 * 4);
        assertThat(model.publishedAtMillis()).isEqualTo(11);
    }

    @Test
    void aSnapshotFromBeforeThereWereAccountsServesEverybody() throws IOException {
        accept(new PublishModel(TINY, SOURCES, 3, 11));
        PoolSnapshot old =
                PoolSnapshot.parseFrom(SnapshotCodec.write(state)).toBuilder()
                        .clearAccess()
                        .clearDayUsage()
                        .build();
        assertThat(SnapshotCodec.read(new ByteArrayInputStream(old.toByteArray())))
                .isEqualTo(state);
        assertThat(state.accounts().access().anonymous()).isTrue();
    }

    @Test
    void anAccountHasABoundedNumberOfKeysAndRevokedOnesGiveWay() {
        accept(new PutAccount(new Account("acct-1", "asha", Role.MEMBER, Access.MEMBER, 1)));
        for (int i = 0; i < AccountRules.MAX_KEYS_OF_ONE; i++) {
            accept(new AddKey(key(i)));
        }
        refuse(new AddKey(key(99)), Reason.FULL, "revoke one first");
        accept(new RevokeKey("key-3", 50));
        accept(new RevokeKey("key-3", 60));
        assertThat(state.accounts().key("key-3").orElseThrow().revokedAtMillis()).isEqualTo(50);
        accept(new AddKey(key(99)));
        assertThat(state.accounts().key("key-3")).isEmpty();
        refuse(new AddKey(key(99)), Reason.INVALID, "such a key");
        refuse(new RevokeKey("key-3", 70), Reason.NOT_FOUND, "no such key");
        Account namesake = new Account("acct-2", "asha", Role.MEMBER, Access.MEMBER, 1);
        refuse(new PutAccount(namesake), Reason.INVALID, "called asha already");
        Account commons = new Account("acct-2", "commons", Role.MEMBER, Access.MEMBER, 1);
        refuse(new PutAccount(commons), Reason.INVALID, "not commons");
        Account lost = new Account("acct-2", "bela", Role.MEMBER, "gold", 1);
        refuse(new PutAccount(lost), Reason.NOT_FOUND, "no tier 'gold'");
    }

    private static ApiKey key(int number) {
        return new ApiKey("key-" + number, "%064x".formatted(number), "acct-1", "", number, 0);
    }

    @Test
    void aSecondPublicationChangesSourcesOnly() {
        accept(new PublishModel(TINY, SOURCES, 3, 11));
        accept(new PublishModel(TINY, List.of("sahkar://a:1"), 2, 99));
        ModelRecord model = Objects.requireNonNull(state.models().get(TINY.id()));
        assertThat(model.sources()).containsExactly("sahkar://a:1");
        assertThat(model.minStages()).isEqualTo(2);
        assertThat(model.publishedAtMillis()).isEqualTo(11);
    }

    @Test
    void refusesManifestsThatLie() {
        refuseManifest(m -> m.setName("no spaces"), "the name must be");
        refuseManifest(m -> m.clearDigest(), "the digest must be");
        refuseManifest(m -> m.setBlockCount(7), "block 6 has no tensor");
        refuseManifest(m -> m.setBlockCount(5), "beyond the last");
        refuseManifest(m -> m.setBlockCount(0), "block_count is 0");
        refuseManifest(m -> m.setGrain(0), "grain is 0");
        refuseManifest(m -> m.setFileBytes(2000), "lies outside the file");
        refuseManifest(m -> m.setKvBytesPerPositionPerBlock(-1), "kv_bytes_per_position");
        refuseManifest(m -> m.removeTensors(0), "token_embd.weight is missing");
        refuseManifest(m -> m.addTensors(m.getTensors(1)), "stands in it twice");
        refuseManifest(
                m -> m.getTensorsBuilder(1).getDataBuilder().setBytes(16),
                "claims 16 bytes, its shape and type give 16384");
        refuseManifest(
                m -> m.getTensorsBuilder(1).setShape(0, 1L << 40).setShape(1, 1L << 40),
                "impossible");
        refuseManifest(m -> m.getTensorsBuilder(1).getDataBuilder().clearSha256(), "no SHA-256");
        refuseManifest(m -> m.getTensorsBuilder(2).getDataBuilder().setOffset(1024), "overlap");
    }

    @Test
    void refusesSourcesNobodyCanFetchFrom() {
        for (String source : List.of("", "file:///etc/passwd", "http://", "x".repeat(5000))) {
            Refusal refusal = refuse(new PublishModel(TINY, List.of(source), 0, 1));
            assertThat(refusal.reason()).isEqualTo(Reason.INVALID);
            assertThat(refusal.message()).contains("is not an http, https or sahkar address");
        }
        assertThat(refuse(new PublishModel(TINY, List.of(), 0, 1)).message()).contains("1 to 64");
    }

    @Test
    void adoptsOnlyPlansMadeFromTheCurrentOne() {
        accept(new PublishModel(TINY, SOURCES, 0, 1));
        accept(new RegisterWorker(Fixtures.worker("w1", 1000, 1)));
        AssignedShard all = new AssignedShard(TINY.id(), new Span(0, 6), 64);
        accept(new AdoptPlacement(placement(1, 0, "w1", all)));
        assertThat(refuse(new AdoptPlacement(placement(1, 0, "w1", all))).reason())
                .isEqualTo(Reason.STALE);
        assertThat(refuse(new AdoptPlacement(placement(2, 1, "w9", all))).message())
                .contains("worker w9 is not known");
        AssignedShard beyond = new AssignedShard(TINY.id(), new Span(0, 7), 64);
        assertThat(refuse(new AdoptPlacement(placement(2, 1, "w1", beyond))).reason())
                .isEqualTo(Reason.INVALID);
        assertThat(state.placement().generation()).isEqualTo(1);
    }

    @Test
    void adoptsNoSpanShorterThanTheGrain() {
        Manifest wire = Fixtures.manifest("turns", 14).toBuilder().setGrain(6).build();
        ModelManifest turns = ManifestReader.read(wire.toByteArray());
        accept(new PublishModel(turns, SOURCES, 0, 1));
        accept(new RegisterWorker(Fixtures.worker("w1", 1000, 1)));
        AssignedShard rest = new AssignedShard(turns.id(), new Span(12, 14), 64);
        assertThat(refuse(new AdoptPlacement(placement(1, 0, "w1", rest))).message())
                .contains("[12, 14)", "no shard of a model of 14 blocks cut by 6");
        accept(
                new AdoptPlacement(
                        placement(1, 0, "w1", new AssignedShard(turns.id(), new Span(6, 14), 64))));
    }

    @Test
    void forgetsOnlyWorkersWithoutAPart() {
        accept(new PublishModel(TINY, SOURCES, 0, 1));
        accept(new RegisterWorker(Fixtures.worker("w1", 1000, 1)));
        AssignedShard all = new AssignedShard(TINY.id(), new Span(0, 6), 64);
        accept(new AdoptPlacement(placement(1, 0, "w1", all)));
        assertThat(refuse(new ForgetWorker("w1")).reason()).isEqualTo(Reason.STALE);
        accept(new AdoptPlacement(new Placement(2, 1, new TreeMap<>())));
        accept(new ForgetWorker("w1"));
        assertThat(state.workers()).isEmpty();
        assertThat(refuse(new ForgetWorker("w1")).reason()).isEqualTo(Reason.NOT_FOUND);
    }

    @Test
    void appliesACommandOnceHoweverOftenItIsSent() {
        accept(new PublishModel(TINY, SOURCES, 0, 1));
        LoggedCommand withdraw =
                new LoggedCommand(new CommandId(5, 5), new WithdrawModel(TINY.id()));
        Outcome first = Transition.apply(state, withdraw);
        Outcome again = Transition.apply(first.state(), withdraw);
        assertThat(first.refusal()).isNull();
        assertThat(again.refusal()).isNull();
        assertThat(again.state()).isSameAs(first.state());
    }

    @Test
    void remembersABoundedNumberOfCommands() {
        for (int i = 0; i < Transition.MAX_RECENT + 50; i++) {
            accept(new RegisterWorker(Fixtures.worker("w1", i, 1)));
        }
        assertThat(state.recent()).hasSize(Transition.MAX_RECENT);
    }

    private void refuseManifest(Consumer<Manifest.Builder> lie, String sentence) {
        Manifest.Builder manifest = Fixtures.manifest("tiny", 6).toBuilder();
        lie.accept(manifest);
        ModelManifest read = ManifestReader.read(manifest.build().toByteArray());
        Refusal refusal = refuse(new PublishModel(read, SOURCES, 0, 1));
        assertThat(refusal.message()).contains(sentence);
        assertThat(refusal.reason()).isEqualTo(Reason.INVALID);
    }

    private static Placement placement(
            long generation, long parent, String worker, AssignedShard s) {
        return new Placement(generation, parent, new TreeMap<>(Map.of(worker, List.of(s))));
    }

    private void accept(Command command) {
        Outcome outcome = apply(command);
        assertThat(outcome.refusal()).isNull();
        state = outcome.state();
    }

    private void refuse(Command command, Reason reason, String words) {
        Refusal refusal = refuse(command);
        assertThat(refusal.reason()).isEqualTo(reason);
        assertThat(refusal.message()).contains(words);
    }

    private Refusal refuse(Command command) {
        return Objects.requireNonNull(apply(command).refusal());
    }

    private Outcome apply(Command command) {
        return Transition.apply(state, new LoggedCommand(new CommandId(0, ++lastId), command));
    }
}
