package coop.sahkar.coordinator.limits;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.governance.Tier;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one account may use, in virtual time. */
class AccountWindowTest {
    private static final long DAY = 24L * 60 * 60 * 1000;

    private long millis = 7 * DAY + 1_234;
    private int lastId;

    @Test
    void aRequestTooManyPassesAtTheTimeThatIsSaid() {
        Tier tier = new Tier("t", 3, 0, 0, 0, 0);
        AccountWindow window = window();
        for (int i = 0; i < 3; i++) {
            assertThat(take(window, tier, 10).requests().remaining()).isEqualTo(2 - i);
            millis += 1_000;
        }
        Verdict.Refused refused = refused(take(window, tier, 10));
        assertThat(refused.limit()).isEqualTo(Limit.REQUESTS_PER_MINUTE);
        assertThat(refused.retryMillis()).isBetween(57_000L, 57_500L);
        millis += refused.retryMillis() - 1;
        assertThat(take(window, tier, 10)).isInstanceOf(Verdict.Refused.class);
        millis += 1;
        assertThat(take(window, tier, 10)).isInstanceOf(Verdict.Granted.class);
        assertThat(take(window, tier, 10)).isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void tokensAreHeldUntilTheyAreSettledAndWhatWasNotUsedIsGivenBack() {
        Tier tier = new Tier("t", 0, 100, 0, 0, 0);
        AccountWindow window = window();
        take(window, tier, 80);
        assertThat(refused(take(window, tier, 30)).limit()).isEqualTo(Limit.TOKENS_PER_MINUTE);
        window.settle(new Settlement("1", "a", true, 20), now());
        assertThat(window.tokensThisMinute(now())).isEqualTo(20);
        assertThat(take(window, tier, 80)).isInstanceOf(Verdict.Granted.class);
        window.settle(new Settlement("3", "a", true, 95), now());
        assertThat(window.tokensThisMinute(now())).isEqualTo(115);
        assertThat(refused(take(window, tier, 1)).tokens().remaining()).isZero();
    }

    @Test
    void whoNeedsMoreThanTheWholeLimitGetsItWhenNothingElseIsUsed() {
        Tier tier = new Tier("t", 0, 100, 1000, 0, 0);
        AccountWindow window = window();
        assertThat(take(window, tier, 400)).isInstanceOf(Verdict.Granted.class);
        Verdict.Refused refused = refused(take(window, tier, 400));
        millis += refused.retryMillis();
        assertThat(take(window, tier, 400)).isInstanceOf(Verdict.Granted.class);
    }

    @Test
    void theDayEndsAtMidnightAndAClockThatIsSetBackBeginsNoOther() {
        Tier tier = new Tier("t", 0, 0, 100, 0, 0);
        AccountWindow window = window();
        take(window, tier, 60);
        window.settle(new Settlement("1", "a", true, 60), now());
        Verdict.Refused refused = refused(take(window, tier, 50));
        assertThat(refused.limit()).isEqualTo(Limit.TOKENS_PER_DAY);
        assertThat(refused.retryMillis()).isEqualTo(DAY - 1_234);
        AccountWindow later = window;
        Moment yesterday = new Moment(millis + 10, millis - DAY);
        assertThat(later.take(wish(50), tier, yesterday)).isInstanceOf(Verdict.Refused.class);
        millis += refused.retryMillis();
        assertThat(take(window, tier, 50)).isInstanceOf(Verdict.Granted.class);
        assertThat(window.tokensToday(now())).as("settled").isZero();
        window.settle(new Settlement("4", "a", true, 50), now());
        assertThat(window.tokensToday(now())).isEqualTo(50);
    }

    @Test
    void whatWasWrittenDownOfTheDayCounts() {
        Tier tier = new Tier("t", 0, 0, 100, 0, 0);
        AccountWindow window = window();
        window.atLeast(90, now());
        window.atLeast(40, now());
        assertThat(take(window, tier, 20)).isInstanceOf(Verdict.Refused.class);
        assertThat(take(window, tier, 10)).isInstanceOf(Verdict.Granted.class);
    }

    @Test
    void answersAtOnceAreBoundedAndALostCoordinatorDoesNotHoldThemForEver() {
        Tier tier = new Tier("t", 0, 0, 0, 2, 0);
        AccountWindow window = window();
        take(window, tier, 1);
        take(window, tier, 1);
        assertThat(refused(take(window, tier, 1)).limit()).isEqualTo(Limit.CONCURRENT_SESSIONS);
        window.settle(new Settlement("1", "a", true, 1), now());
        assertThat(take(window, tier, 1)).isInstanceOf(Verdict.Granted.class);
        millis += AccountWindow.SESSION_MILLIS;
        assertThat(window.sessions(now())).isZero();
        assertThat(take(window, tier, 1)).isInstanceOf(Verdict.Granted.class);
    }

    @Test
    void whatFailedForAFaultOfOursWasNoRequest() {
        Tier tier = new Tier("t", 1, 0, 0, 0, 0);
        AccountWindow window = window();
        take(window, tier, 10);
        window.settle(new Settlement("1", "a", false, 0), now());
        assertThat(window.idle(now())).isTrue();
        assertThat(take(window, tier, 10)).isInstanceOf(Verdict.Granted.class);
    }

    @Test
    void whatAnotherCoordinatorLetInByItselfCountsWhenItIsSettled() {
        Tier tier = new Tier("t", 1, 100, 0, 0, 0);
        AccountWindow window = window();
        window.settle(new Settlement("elsewhere", "a", true, 40), now());
        assertThat(window.tokensThisMinute(now())).isEqualTo(40);
        assertThat(take(window, tier, 1)).isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void theSameRequestAskedTwiceIsTakenOnce() {
        Tier tier = new Tier("t", 5, 100, 0, 0, 0);
        AccountWindow window = window();
        window.take(new Wish("same", "a", 1, 10), tier, now());
        Verdict again = window.take(new Wish("same", "a", 1, 10), tier, now());
        assertThat(again.requests().remaining()).isEqualTo(4);
        assertThat(again.tokens().remaining()).isEqualTo(90);
    }

    /** Ten times what is allowed, at random moments, for ten minutes. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void whatPassesIsTheLimitAndNoMinuteHasMore(long seed) {
        int limit = 60;
        int tokens = 20;
        Tier tier = new Tier("t", limit, limit * tokens * 2, 0, 0, 0);
        Random random = new Random(seed);
        AccountWindow window = window();
        long begin = millis;
        SlidingWindow passed = new SlidingWindow();
        int granted = 0;
        int minutes = 10;
        while (millis < begin + minutes * 60_000L) {
            if (take(window, tier, tokens) instanceof Verdict.Granted) {
                window.settle(new Settlement(Integer.toString(lastId), "a", true, tokens), now());
                granted++;
                passed.add(1, millis);
            }
            assertThat(passed.used(millis)).isLessThanOrEqualTo(limit);
            millis += random.nextInt(200);
        }
        assertThat(granted).isBetween(limit * minutes * 98 / 100, limit * minutes);
    }

    private AccountWindow window() {
        return new AccountWindow(now());
    }

    private Verdict take(AccountWindow window, Tier tier, long tokens) {
        return window.take(wish(tokens), tier, now());
    }

    private Wish wish(long tokens) {
        return new Wish(Integer.toString(++lastId), "a", 1, tokens);
    }

    private static Verdict.Refused refused(Verdict verdict) {
        assertThat(verdict).isInstanceOf(Verdict.Refused.class);
        return (Verdict.Refused) verdict;
    }

    private Moment now() {
        return new Moment(millis, millis);
    }
}
