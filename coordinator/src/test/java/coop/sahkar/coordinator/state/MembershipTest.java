package coop.sahkar.coordinator.state;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.log.CommandCodec;
import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.state.Command.EnrolNode;
import coop.sahkar.coordinator.state.Command.IssueToken;
import coop.sahkar.coordinator.state.Command.RevokeNode;
import coop.sahkar.proto.tls.Role;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MembershipTest {
    private static final String HASH = "ab".repeat(32);

    private PoolState state = PoolState.EMPTY;
    private long ids;

    /** Applies a command as it comes back from the log, and takes the state through a snapshot. */
    private Optional<String> apply(Command command) throws IOException {
        LoggedCommand logged = new LoggedCommand(new CommandId(1, ++ids), command);
        LoggedCommand read = CommandCodec.read(ByteBuffer.wrap(CommandCodec.write(logged)));
        assertThat(read).isEqualTo(logged);
        Outcome outcome = Transition.apply(state, read);
        byte[] snapshot = SnapshotCodec.write(outcome.state());
        state = SnapshotCodec.read(new ByteArrayInputStream(snapshot));
        assertThat(state).isEqualTo(outcome.state());
        return Optional.ofNullable(outcome.refusal()).map(Refusal::message);
    }

    private static IssueToken token(int uses, long expires) {
        return new IssueToken(new JoinTokenRecord(HASH, Role.WORKER, uses, expires), 1000);
    }

    private static EnrolNode enrol(String id, int key, long at) {
        return new EnrolNode(
                new NodeRecord(
                        Role.WORKER, id, 100L + key, new Encoded(new byte[] {(byte) key}), at),
                HASH);
    }

    @Test
    void aTokenIsGoodForSoManyUntilItsTime() throws IOException {
        assertThat(apply(token(2, 5000))).isEmpty();
        assertThat(apply(enrol("a", 1, 2000))).isEmpty();
        assertThat(apply(enrol("b", 2, 5000)).orElse("")).contains("time is over");
        assertThat(apply(enrol("b", 2, 4999))).isEmpty();
        assertThat(state.members().tokens()).isEmpty();
        assertThat(apply(enrol("c", 3, 4999)).orElse("")).contains("used up");
        assertThat(state.members().nodes()).containsOnlyKeys("worker/a", "worker/b");
    }

    @Test
    void aTokenThatWasRefusedIsNotUsed() throws IOException {
        assertThat(apply(token(1, 5000))).isEmpty();
        EnrolNode other =
                new EnrolNode(
                        new NodeRecord(Role.COORDINATOR, "c", 7, new Encoded(new byte[] {9}), 2000),
                        HASH);
        assertThat(apply(other).orElse("")).contains("for a worker");
        assertThat(apply(enrol("a", 1, 2000))).isEmpty();
    }

    @Test
    void revokingFreesTheIdButNotForTheSameKey() throws IOException {
        assertThat(apply(token(9, 5000))).isEmpty();
        assertThat(apply(enrol("a", 1, 2000))).isEmpty();
        assertThat(apply(enrol("a", 2, 2000)).orElse("")).contains("another node");
        assertThat(apply(new RevokeNode(Role.WORKER, "a", 2500, 90_000))).isEmpty();
        assertThat(state.members().revoked()).containsExactly(Map.entry(101L, 90_000L));
        assertThat(apply(enrol("a", 1, 3000)).orElse("")).contains("was revoked");
        assertThat(apply(enrol("a", 2, 3000))).isEmpty();
        assertThat(apply(new RevokeNode(Role.WORKER, "b", 2500, 9000)).orElse(""))
                .contains("no worker is called b");
    }

    @Test
    void whatHasExpiredIsForgotten() throws IOException {
        assertThat(apply(token(1, 1500))).isEmpty();
        IssueToken later =
                new IssueToken(new JoinTokenRecord("cd".repeat(32), Role.WORKER, 2, 9000), 2000);
        assertThat(apply(later)).isEmpty();
        assertThat(state.members().tokens()).containsOnlyKeys("cd".repeat(32));
        assertThat(apply(new EnrolNode(enrol("a", 1, 2000).node(), ""))).isEmpty();
        assertThat(apply(new EnrolNode(enrol("b", 2, 2000).node(), ""))).isEmpty();
        assertThat(apply(new RevokeNode(Role.WORKER, "a", 2500, 3000))).isEmpty();
        assertThat(apply(new RevokeNode(Role.WORKER, "b", 3500, 9000))).isEmpty();
        assertThat(state.members().revoked()).containsOnlyKeys(102L);
    }

    @Test
    void tokensOutOfBoundsAreRefused() throws IOException {
        assertThat(apply(token(0, 5000))).isPresent();
        assertThat(apply(token(MembershipRules.MAX_USES + 1, 5000))).isPresent();
        assertThat(apply(token(1, 1000))).isPresent();
        assertThat(state.members()).isEqualTo(Membership.EMPTY);
    }
}
