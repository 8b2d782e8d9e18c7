package coop.sahkar.worker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.store.ShardKey;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReconcilerTest {
    private static final long LENT = 100_000_000;
    private static final long NOW = 10_000;
    private static final ShardKey A = key(0, 2);
    private static final ShardKey B = key(2, 4);

    private static ShardKey key(int first, int end) {
        return new ShardKey("m@" + "0".repeat(64), new Span(first, end));
    }

    private static DesiredShard wish(ShardKey key, int cells) {
        return new DesiredShard(key, cells, List.of("sahkar://h:1"));
    }

    private static ObservedShard at(ShardKey key, ShardPhase phase, long megabytes) {
        return new ObservedShard(key, 512, phase, megabytes * 1_000_000, NOW);
    }

    private static Desired want(ShardKey... keys) {
        return new Desired(1, Arrays.stream(keys).map(key -> wish(key, 512)).toList());
    }

    private static List<Action> next(Desired desired, ObservedShard... observed) {
        return Reconciler.next(desired, List.of(observed), LENT, NOW);
    }

    /** One shard, in every phase, wanted, unwanted, and wanted with another KV cache. */
    @ParameterizedTest
    @CsvSource({
        "FETCHING, , Drop, Drop",
        "FETCHED, Load, Drop, Drop",
        "LOADING, , , ",
        "LOADED, Serve, Drop, Drop",
        "SERVING, , Drain, Drain",
        "DRAINING, , , ",
        "DRAINED, Drop, Drop, Drop",
        "FAILED, Drop+Fetch, Drop, Drop",
    })
    void everyPhase(
            ShardPhase phase,
            @Nullable String wanted,
            @Nullable String unwanted,
            @Nullable String otherCells) {
        ObservedShard shard = at(A, phase, 10);
        assertThat(names(next(want(A), shard))).isEqualTo(text(wanted));
        assertThat(names(next(Desired.NOTHING, shard))).isEqualTo(text(unwanted));
        Desired other = new Desired(2, List.of(wish(A, 1024)));
        assertThat(names(next(other, shard))).isEqualTo(text(otherCells));
    }

    private static String text(@Nullable String cell) {
        return cell == null ? "" : cell;
    }

    private static String names(List<Action> actions) {
        return String.join("+", actions.stream().map(a -> a.getClass().getSimpleName()).toList());
    }

    @Test
    void fetchesWhatIsNotThere() {
        assertThat(next(want(A, B)))
                .containsExactly(new Action.Fetch(wish(A, 512)), new Action.Fetch(wish(B, 512)));
        assertThat(next(want(A, B), at(A, ShardPhase.SERVING, 10)))
                .containsExactly(new Action.Fetch(wish(B, 512)));
    }

    @Test
    void triesAgainOnlyAfterThePause() {
        ObservedShard resting = new ObservedShard(A, 512, ShardPhase.FAILED, 0, NOW + 1);
        assertThat(next(want(A), resting)).isEmpty();
    }

    @Test
    void loadsTwoAtOnceOnlyIfBothFit() {
        assertThat(next(want(A, B), at(A, ShardPhase.FETCHED, 50), at(B, ShardPhase.FETCHED, 50)))
                .containsExactly(new Action.Load(A), new Action.Load(B));
        assertThat(next(want(A, B), at(A, ShardPhase.FETCHED, 51), at(B, ShardPhase.FETCHED, 50)))
                .satisfiesExactly(
                        one -> assertThat(one).isEqualTo(new Action.Load(A)),
                        two -> assertThat(two).isInstanceOf(Action.Fail.class));
    }

    @Test
    void waitsForMemoryThatIsAboutToBeFree() {
        assertThat(next(want(B), at(A, ShardPhase.DRAINING, 80), at(B, ShardPhase.FETCHED, 50)))
                .isEmpty();
        assertThat(next(want(B), at(A, ShardPhase.SERVING, 80), at(B, ShardPhase.FETCHED, 50)))
                .containsExactly(new Action.Drain(A));
    }

    @Test
    void saysHowMuchMemoryIsLacking() {
        List<Action> actions =
                next(want(A, B), at(A, ShardPhase.SERVING, 80), at(B, ShardPhase.FETCHED, 50));
        assertThat(actions).singleElement().isInstanceOf(Action.Fail.class);
        assertThat(((Action.Fail) actions.getFirst()).why())
                .contains("blocks 2 to 3 of m")
                .contains("needs 50 MB")
                .contains("100 MB lent")
                .contains("20 MB of them free");
    }

    @Test
    void refusesAnOlderGeneration() {
        Desired newer = new Desired(7, List.of(wish(A, 512)));
        Desired older = new Desired(6, List.of(wish(B, 512)));
        Desired same = new Desired(7, List.of(wish(B, 512)));
        assertThat(newer.or(older)).isSameAs(newer);
        assertThat(older.or(newer)).isSameAs(newer);
        assertThat(newer.or(same)).isSameAs(same);
    }
}
