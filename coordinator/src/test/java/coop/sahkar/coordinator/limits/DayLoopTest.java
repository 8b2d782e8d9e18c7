package coop.sahkar.coordinator.limits;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.FakeLog;
import coop.sahkar.coordinator.state.Command.PutAccount;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.Role;
import coop.sahkar.governance.Tier;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A day's limit outlives whoever counts it. */
class DayLoopTest {
    private static final long DAY = 24L * 60 * 60 * 1000;

    private final FakeLog log = new FakeLog();
    private long millis = 3 * DAY;
    private int lastId;

    @BeforeEach
    void hundredADay() {
        Tier member = new Tier(Access.MEMBER, 0, 0, 100, 0, 0);
        Tier anyone = new Tier(Access.ANONYMOUS, 0, 0, 100, 0, 0);
        log.propose(
                new SetAccess(
                        new Access(
                                true,
                                new TreeMap<>(
                                        Map.of(member.name(), member, anyone.name(), anyone)))));
        log.propose(new PutAccount(new Account("acct-1", "asha", Role.MEMBER, Access.MEMBER, 1)));
    }

    @Test
    void whatWasUsedIsKnownToTheNextOneAndAddressesAreKeptNowhere() {
        LocalAllowances first = counting();
        use(first, "acct-1", 70);
        use(first, "192.0.2.9", 70);
        DayLoop loop = new DayLoop(log, first);
        loop.note();
        loop.note();
        assertThat(log.state().accounts().dayUsage().tokens()).containsOnlyKeys("acct-1");

        LocalAllowances second = counting();
        assertThat(second.decide(wish("acct-1", 40))).isInstanceOf(Verdict.Refused.class);
        assertThat(second.decide(wish("acct-1", 30))).isInstanceOf(Verdict.Granted.class);
        assertThat(second.decide(wish("192.0.2.9", 40))).isInstanceOf(Verdict.Granted.class);
        millis += DAY;
        assertThat(second.decide(wish("acct-1", 70))).isInstanceOf(Verdict.Granted.class);
    }

    @Test
    void whoDoesNotLeadWritesNothingAndTheRestIsWrittenAtTheEnd() {
        LocalAllowances counted = counting();
        use(counted, "acct-1", 70);
        log.leader = "c2";
        DayLoop loop = new DayLoop(log, counted);
        loop.note();
        assertThat(log.state().accounts().dayUsage().tokens()).isEmpty();
        log.leader = "c1";
        loop.close();
        assertThat(log.state().accounts().dayUsage().tokens("acct-1", 3)).isEqualTo(70);
    }

    private LocalAllowances counting() {
        return new LocalAllowances(log, () -> millis, () -> millis);
    }

    private void use(LocalAllowances allowances, String account, long tokens) {
        Wish wish = wish(account, 90);
        assertThat(allowances.decide(wish)).isInstanceOf(Verdict.Granted.class);
        allowances.settle(new Settlement(wish.id(), account, true, tokens));
    }

    private Wish wish(String account, long tokens) {
        return new Wish(Integer.toString(++lastId), account, 1, tokens);
    }
}
