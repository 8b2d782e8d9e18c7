package coop.sahkar.coordinator.limits;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.FakeLog;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Tier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who counts: the leader, or while there is none, whoever is asked. */
class PoolAllowancesTest {
    private final FakeLog log = new FakeLog();
    private final LocalAllowances own = new LocalAllowances(log, () -> 1_000, () -> 1_000);
    private final List<String> told = new ArrayList<>();
    private Optional<Verdict> leaderSays = Optional.empty();
    private final Allowances allowances =
            new PoolAllowances(
                    log,
                    own,
                    new PoolAllowances.LeaderLink() {
                        @Override
                        public CompletableFuture<Optional<Verdict>> take(Wish wish) {
                            told.add("take " + wish.id());
                            return CompletableFuture.completedFuture(leaderSays);
                        }

                        @Override
                        public void settle(Settlement end) {
                            told.add("settle " + end.id());
                        }
                    });
    private int lastId;

    @BeforeEach
    void twoAMinute() {
        Tier two = new Tier(Access.ANONYMOUS, 2, 0, 0, 0, 0);
        log.propose(new SetAccess(new Access(true, new TreeMap<>(Map.of(two.name(), two)))));
    }

    @Test
    void theLeaderCountsItself() {
        assertThat(take()).isInstanceOf(Verdict.Granted.class);
        assertThat(take()).isInstanceOf(Verdict.Granted.class);
        assertThat(take()).isInstanceOf(Verdict.Refused.class);
        allowances.settle(new Settlement("1", "a", true, 0));
        assertThat(told).isEmpty();
    }

    @Test
    void anotherAsksTheLeaderAndObeys() {
        log.leader = "c2";
        leaderSays =
                Optional.of(
                        new Verdict.Refused(
                                Limit.REQUESTS_PER_MINUTE, 700, Budget.NONE, Budget.NONE));
        assertThat(take()).isEqualTo(leaderSays.get());
        allowances.settle(new Settlement("1", "a", true, 0));
        assertThat(told).containsExactly("take 1", "settle 1");
    }

    @Test
    void whatTheLeaderGrantedIsKnownWhenItIsLost() {
        log.leader = "c2";
        leaderSays = Optional.of(new Verdict.Granted(Budget.NONE, Budget.NONE));
        take();
        leaderSays = Optional.empty(); // it does not answer
        assertThat(take()).isInstanceOf(Verdict.Granted.class);
        log.leader = ""; // an election
        assertThat(take()).isInstanceOf(Verdict.Refused.class);
        log.leader = "c1"; // and it is ours
        assertThat(take()).isInstanceOf(Verdict.Refused.class);
        assertThat(own.used().getFirst().requestsThisMinute()).isEqualTo(2);
    }

    private Verdict take() {
        return allowances.take(new Wish(Integer.toString(++lastId), "a", 1, 5)).join();
    }
}
