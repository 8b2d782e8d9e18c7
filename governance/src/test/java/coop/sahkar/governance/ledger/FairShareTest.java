package coop.sahkar.governance.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How turns follow from what accounts gave and used lately. */
class FairShareTest {
    private static final LedgerPolicy POLICY = LedgerPolicy.DEFAULT;
    private static final long HALF_LIFE = POLICY.halfLifeMillis();
    private static final long NOW = 1_000_000_000_000L;
    private static final long CREDIT = LedgerPolicy.MICROS_PER_CREDIT;

    /** Credits given and used lately, and the turns that follow. */
    @ParameterizedTest
    @CsvSource({
        "0,         0,    16",
        "0,         50,   16",
        "1,         0,    72",
        "9,         0,   116",
        "9,         10,   66",
        "1,         100,  17",
        "1000000,   0,   127",
    })
    void whoGivesGetsTurnsAndWhoUsesGivesThemUp(long given, long used, int weight) {
        assertThat(account(given, used).weight(NOW, POLICY)).isEqualTo(weight);
    }

    @Test
    void nobodyFallsBelowTheFloorOrRisesAboveTheMost() {
        Account giver = new Account(0, 0, Account.MAX_RECENT_MICROS, 0, NOW);
        Account user = new Account(0, 0, 0, Account.MAX_RECENT_MICROS, NOW);
        assertThat(giver.weight(NOW, POLICY)).isBetween(120, POLICY.mostWeight());
        assertThat(user.weight(NOW, POLICY)).isEqualTo(POLICY.floorWeight());
    }

    @Test
    void whatWasGivenFadesByHalvesAndInTheEndCountsNothing() {
        Account giver = account(100, 0);
        int last = giver.weight(NOW, POLICY);
        for (int half = 1; half < 40; half++) {
            int weight = giver.weight(NOW + half * HALF_LIFE, POLICY);
            assertThat(weight).isLessThanOrEqualTo(last);
            last = weight;
        }
        assertThat(last).isEqualTo(POLICY.floorWeight());
        assertThat(Fading.fade(1_000_000, NOW, NOW + HALF_LIFE, HALF_LIFE))
                .isBetween(499_000L, 501_000L);
        assertThat(Fading.fade(Account.MAX_RECENT_MICROS, 0, Long.MAX_VALUE / 2, HALF_LIFE))
                .isZero();
    }

    @Test
    void itDoesNotMatterHowOftenOneLooks() {
        long often = 123_456_789;
        for (int i = 0; i < 100; i++) {
            often =
                    Fading.fade(
                            often, NOW + i * 7919L * 1000, NOW + (i + 1) * 7919L * 1000, HALF_LIFE);
        }
        assertThat(often)
                .isEqualTo(Fading.fade(123_456_789, NOW, NOW + 100 * 7919L * 1000, HALF_LIFE));
    }

    @Test
    void creditsThatWereNotWorkedForBuyNoTurns() {
        Account rich = new Account(1_000_000 * CREDIT, 0, 0, 0, NOW);
        assertThat(rich.weight(NOW, POLICY)).isEqualTo(POLICY.floorWeight());
    }

    @Test
    void oneWrongClockFadesAHalfAtMost() {
        Ledger ledger = Ledger.EMPTY;
        long[] times = {NOW, NOW + 1000 * HALF_LIFE, NOW + 1000};
        for (int i = 0; i < times.length; i++) {
            ledger = post(ledger, i + 1, times[i]);
        }
        assertThat(ledger.atMillis()).isEqualTo(NOW + HALF_LIFE);
    }

    private static Ledger post(Ledger before, int sequence, long atMillis) {
        var work = new java.util.TreeMap<String, Work>();
        work.put("a", new Work(0, 1));
        UsageBatch batch = new UsageBatch("c", 1, sequence, atMillis, work, work, Work.NONE);
        Ledger.Result result = before.post(batch, id -> id, POLICY);
        assertThat(result).isInstanceOf(Ledger.Result.Posted.class);
        return ((Ledger.Result.Posted) result).next();
    }

    private static Account account(long given, long used) {
        return new Account(0, 0, given * CREDIT, used * CREDIT, NOW);
    }
}
