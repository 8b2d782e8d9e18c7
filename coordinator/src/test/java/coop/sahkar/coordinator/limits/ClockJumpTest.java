package coop.sahkar.coordinator.limits;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.FakeLog;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Tier;
import coop.sahkar.proto.PoolClock;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Somebody sets a coordinator's clock: nobody gets more for that, and nobody less. */
class ClockJumpTest {
    private static final long HOUR = 3_600_000;
    private static final long HALF_PAST_ELEVEN = 1_800_055_800_000L;

    private final AtomicLong set = new AtomicLong(HALF_PAST_ELEVEN);
    private final AtomicLong passed = new AtomicLong();
    private final PoolClock clock = new PoolClock(set::get, passed::get);
    private final FakeLog log = new FakeLog();
    private final LocalAllowances allowances =
            new LocalAllowances(log, clock::monotonicMillis, clock::earliestUnixMillis);
    private int last;

    @BeforeEach
    void twoAMinuteAndAHundredTokensADay() {
        Tier tier = new Tier(Access.ANONYMOUS, 2, 0, 100, 0, 0);
        log.propose(new SetAccess(new Access(true, new TreeMap<>(Map.of(tier.name(), tier)))));
    }

    private Verdict take() {
        last++;
        String id = Integer.toString(last);
        Verdict verdict = allowances.decide(new Wish(id, "10.0.0.1", 1, 30));
        if (verdict instanceof Verdict.Granted) {
            allowances.settle(new Settlement(id, "10.0.0.1", true, 30));
        }
        return verdict;
    }

    private void pass(long millis) {
        set.addAndGet(millis);
        passed.addAndGet(millis);
    }

    @ParameterizedTest
    @ValueSource(longs = {HOUR, -HOUR})
    void theMinuteAndTheDayGoOn(long jump) {
        assertThat(take()).isInstanceOf(Verdict.Granted.class);
        assertThat(take()).isInstanceOf(Verdict.Granted.class);
        set.addAndGet(jump);
        assertThat(refused(take()).limit()).isEqualTo(Limit.REQUESTS_PER_MINUTE);
        pass(61_000);
        assertThat(take()).isInstanceOf(Verdict.Granted.class);
        assertThat(refused(take()).limit()).isEqualTo(Limit.TOKENS_PER_DAY);
        set.addAndGet(-jump);
        pass(HOUR / 2);
        assertThat(take()).isInstanceOf(Verdict.Granted.class);
    }

    private static Verdict.Refused refused(Verdict verdict) {
        assertThat(verdict).isInstanceOf(Verdict.Refused.class);
        return (Verdict.Refused) verdict;
    }
}
