package coop.sahkar.client.routing;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.provider.Allowance;
import coop.sahkar.client.provider.DataUse;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import coop.sahkar.client.provider.Feature;
import coop.sahkar.client.provider.Offer;
import coop.sahkar.client.provider.Patience;
import coop.sahkar.client.provider.Price;
import coop.sahkar.client.provider.Profile;
import coop.sahkar.client.routing.Policy.Preference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Decisions as scripts: a router with providers a, b and c, and a clock that the test moves. */
class RouterTest {
    private static final Offer MODEL = Offer.of("m");

    private final List<Profile> profiles = new ArrayList<>();
    private Need need = Need.of(InferenceRequest.ask("m", "hello"));
    private Policy policy = Policy.FALLBACK;
    private Standings standings = Standings.NONE;
    private Course course = Course.NEW;
    private long now = 1_000_000;

    private RouterTest with(String name, Offer offer) {
        return with(name, offer, DataUse.NO_TRAINING, Allowance.UNBOUNDED);
    }

    private RouterTest with(String name, Offer offer, DataUse use, Allowance allowance) {
        profiles.add(
                new Profile(
                        name,
                        List.of(offer),
                        Set.of(),
                        Set.of("seed"),
                        use,
                        allowance,
                        Patience.DEFAULT));
        return this;
    }

    /** What the router says, as {@code ask a}, {@code wait 100} or {@code give up}. */
    private String next() {
        return switch (step()) {
            case Step.Ask(Candidate candidate) -> "ask " + candidate.profile().name();
            case Step.Wait(long millis) -> "wait " + millis;
            case Step.GiveUp _ -> "give up";
        };
    }

    private Step step() {
        return Router.next(need, Router.candidates(need, profiles), standings, course, policy, now);
    }

    private void fails(String name, FailureKind kind, long statedMillis) {
        Failure failure =
                Failure.of(kind, "x")
                        .retryAfter(
                                statedMillis == 0
                                        ? Optional.empty()
                                        : Optional.of(Duration.ofMillis(statedMillis)));
        Candidate candidate = candidate(name);
        if (policy.rests()) {
            standings = standings.failed(candidate.pair(), failure, now);
        }
        course = course.missed(candidate, failure, policy, now, 0.5);
    }

    private Candidate candidate(String name) {
        return Router.candidates(need, profiles).stream()
                .filter(c -> c.profile().name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private void passes(long millis) {
        now += millis;
        course = course.waited(millis);
    }

    private void newRequest() {
        course = Course.NEW;
    }

    private String reason(String name) {
        return ((Step.GiveUp) step())
                .skipped().stream()
                        .filter(s -> s.candidate().profile().name().equals(name))
                        .findFirst()
                        .orElseThrow()
                        .reason();
    }

    @Test
    void theFirstInOrderIsAsked() {
        with("a", MODEL).with("b", MODEL);
        assertThat(next()).isEqualTo("ask a");
    }

    @Test
    void nobodyKnowsTheModel() {
        with("a", Offer.of("other"));
        assertThat(next()).isEqualTo("give up");
    }

    @Test
    void anAliasMeansTheModel() {
        with("a", Offer.of("x")).with("b", Offer.of("y").alias("m"));
        assertThat(next()).isEqualTo("ask b");
    }

    @ParameterizedTest
    @CsvSource({
        "AUTH, ask b",
        "NOT_FOUND, ask b",
        "RATE, ask b",
        "QUOTA, ask b",
        "TIMEOUT, ask b",
        "BROKEN, ask b",
        "OVERLOAD, wait 250",
        "NETWORK, wait 250",
        "BAD_REQUEST, give up",
        "CANCELLED, give up",
        "DEADLINE, give up"
    })
    void eachKindHasItsNextStep(FailureKind kind, String expected) {
        with("a", MODEL).with("b", MODEL);
        fails("a", kind, 0);
        assertThat(next()).isEqualTo(expected);
    }

    @Test
    void aBlipIsTriedAgainWithGrowingWaitsAndThenLeft() {
        with("a", MODEL).with("b", MODEL);
        fails("a", FailureKind.NETWORK, 0);
        assertThat(next()).isEqualTo("wait 250");
        passes(250);
        assertThat(next()).isEqualTo("ask a");
        fails("a", FailureKind.NETWORK, 0);
        assertThat(next()).isEqualTo("wait 500");
        passes(500);
        assertThat(next()).isEqualTo("ask a");
        fails("a", FailureKind.NETWORK, 0);
        assertThat(next()).isEqualTo("ask b");
    }

    @Test
    void aBlipThatWantsALongRestIsLeftAtOnce() {
        with("a", MODEL).with("b", MODEL);
        fails("a", FailureKind.OVERLOAD, 20_000);
        assertThat(next()).isEqualTo("ask b");
    }

    @Test
    void aPairRestsForOtherRequestsAsLongAsItSaid() {
        with("a", MODEL).with("b", MODEL);
        fails("a", FailureKind.RATE, 30_000);
        newRequest();
        assertThat(next()).isEqualTo("ask b");
        now += 29_999;
        assertThat(next()).isEqualTo("ask b");
        now += 1;
        assertThat(next()).isEqualTo("ask a");
    }

    @Test
    void anotherModelOfTheSameProviderDoesNotRest() {
        with("a", MODEL).with("b", MODEL);
        fails("a", FailureKind.RATE, 30_000);
        standings =
                standings.failed(
                        new Candidate.Pair("b", "other"), Failure.of(FailureKind.RATE, "x"), now);
        newRequest();
        assertThat(next()).isEqualTo("ask b");
    }

    @Test
    void aStatedRestIsWaitedForWithinBoundsOnly() {
        with("a", MODEL);
        fails("a", FailureKind.RATE, 4_000);
        newRequest();
        assertThat(next()).isEqualTo("wait 4000");
        passes(4_000);
        assertThat(next()).isEqualTo("ask a");
        fails("a", FailureKind.RATE, 60_000);
        newRequest();
        assertThat(next()).isEqualTo("give up");
        assertThat(((Step.GiveUp) step()).skipped().getFirst().readyInMillis()).isEqualTo(60_000);
    }

    @Test
    void waitsOfOneRequestAddUp() {
        with("a", MODEL);
        policy = policy.retries(9);
        fails("a", FailureKind.RATE, 6_000);
        assertThat(next()).isEqualTo("wait 6000");
        passes(6_000);
        assertThat(next()).isEqualTo("ask a");
        fails("a", FailureKind.RATE, 6_000);
        assertThat(next()).isEqualTo("give up");
    }

    @Test
    void whoNeverSaidHowLongIsAskedBeforeGivingUp() {
        with("a", MODEL).with("b", MODEL);
        fails("a", FailureKind.AUTH, 0);
        fails("b", FailureKind.BROKEN, 0);
        newRequest();
        // b would be rested first; both rest only because the client thinks so.
        assertThat(next()).isEqualTo("ask b");
    }

    @Test
    void restsGrowWithFailuresInARowAndEndWithAnAnswer() {
        with("a", MODEL).with("b", MODEL);
        for (int i = 0; i < 3; i++) {
            fails("a", FailureKind.TIMEOUT, 0);
            newRequest();
        }
        now += 3_999;
        assertThat(next()).isEqualTo("ask b");
        now += 1;
        assertThat(next()).isEqualTo("ask a");
        standings = standings.answered(candidate("a").pair(), 10);
        fails("a", FailureKind.TIMEOUT, 0);
        newRequest();
        now += 1_000;
        assertThat(next()).isEqualTo("ask a");
    }

    @ParameterizedTest
    @EnumSource(
            value = DataUse.class,
            names = {"TRAINING", "UNKNOWN"})
    void whoMayTrainIsNotAskedWithoutConsent(DataUse use) {
        with("a", MODEL, use, Allowance.UNBOUNDED);
        assertThat(next()).isEqualTo("give up");
        assertThat(reason("a")).contains("may train");
        policy = policy.allowTraining();
        assertThat(next()).isEqualTo("ask a");
    }

    @Test
    void privacyHoldsWhateverFails() {
        with("a", MODEL).with("b", MODEL, DataUse.TRAINING, Allowance.UNBOUNDED);
        for (FailureKind kind : FailureKind.values()) {
            newRequest();
            fails("a", kind, 0);
            assertThat(next()).as(kind.name()).isNotEqualTo("ask b");
        }
    }

    @Test
    void whoLacksAFeatureAParameterOrContextIsPassedOver() {
        with("a", MODEL.context(50)).with("b", MODEL.features(Feature.CHAT).context(10_000));
        need = new Need("m", Set.of(Feature.CHAT), new TreeSet<>(), 100, 0);
        assertThat(next()).isEqualTo("ask b");
        need = new Need("m", Set.of(Feature.TOOLS), new TreeSet<>(), 1, 0);
        assertThat(reason("b")).isEqualTo("does not offer tools");
        need = new Need("m", Set.of(), new TreeSet<>(Set.of("seed", "top_k")), 1, 0);
        assertThat(reason("a")).isEqualTo("does not take top_k");
    }

    @Test
    void afterAContextThatWasTooShortOnlyALongerOneIsAsked() {
        with("a", MODEL.context(1000))
                .with("b", MODEL)
                .with("c", MODEL.context(1000))
                .with("d", MODEL.context(1001));
        fails("a", FailureKind.CONTEXT, 0);
        assertThat(next()).isEqualTo("ask d");
    }

    @Test
    void aBegunAnswerGoesOnOnlyWithConsentAndWhereThatIsPossible() {
        with("a", MODEL)
                .with("b", MODEL)
                .with("c", MODEL.features(Feature.CHAT, Feature.CONTINUATION));
        course = course.withDelivery();
        fails("a", FailureKind.MID_STREAM, 0);
        assertThat(next()).isEqualTo("give up");
        policy = policy.allowContinuing();
        assertThat(next()).isEqualTo("ask c");
    }

    @Test
    void theCheapestIsAskedFirst() {
        with("a", MODEL.price(Price.dollarsPerMillion(1, 2)))
                .with("b", MODEL.price(Price.dollarsPerMillion(0.1, 0.2)))
                .with("c", MODEL.price(Price.dollarsPerMillion(0.1, 0.2)));
        policy = policy.prefer(Preference.COST);
        assertThat(next()).isEqualTo("ask b");
    }

    @Test
    void theQuickestIsAskedFirstOnceAllAreKnown() {
        with("a", MODEL).with("b", MODEL);
        policy = policy.prefer(Preference.LATENCY);
        standings = standings.answered(candidate("a").pair(), 100);
        assertThat(next()).isEqualTo("ask b");
        standings = standings.answered(candidate("b").pair(), 300);
        assertThat(next()).isEqualTo("ask a");
        for (int i = 0; i < 5; i++) {
            standings = standings.answered(candidate("a").pair(), 900);
        }
        assertThat(next()).isEqualTo("ask b");
    }

    @Test
    void limitsAreKeptInEveryWindow() {
        with("a", MODEL, DataUse.NO_TRAINING, Allowance.requests(3, 0));
        policy = policy.waitAtMost(Duration.ofHours(1));
        List<Long> sent = new ArrayList<>();
        while (sent.size() < 40) {
            switch (step()) {
                case Step.Ask(Candidate candidate) -> {
                    standings = standings.begun(candidate, need, now);
                    sent.add(now);
                    now += 700;
                }
                case Step.Wait(long millis) -> now += millis;
                case Step.GiveUp _ -> throw new AssertionError("gave up");
            }
        }
        for (int i = 3; i < sent.size(); i++) {
            assertThat(sent.get(i) - sent.get(i - 3)).isGreaterThanOrEqualTo(60_000);
        }
        assertThat(sent.getLast() - sent.getFirst()).isLessThan(13 * 63_000L);
    }

    @Test
    void tokensAreTakenByEstimateAndPutRight() {
        with("a", MODEL, DataUse.NO_TRAINING, Allowance.UNBOUNDED.tokens(1000, 0));
        need = new Need("m", Set.of(), new TreeSet<>(), 100, 500);
        standings = standings.begun(candidate("a"), need, now);
        assertThat(next()).isEqualTo("give up");
        standings = standings.ended(candidate("a"), need, 100, 20, now, now + 10);
        assertThat(next()).isEqualTo("ask a");
        need = new Need("m", Set.of(), new TreeSet<>(), 900, 500);
        assertThat(reason("a")).contains("allows less");
    }

    @Test
    void moneyIsKeptToTheDaysBudget() {
        with(
                "a",
                MODEL.price(Price.dollarsPerMillion(10, 10)),
                DataUse.NO_TRAINING,
                Allowance.UNBOUNDED.dollarsPerDay(0.01));
        need = new Need("m", Set.of(), new TreeSet<>(), 300, 300);
        assertThat(next()).isEqualTo("ask a");
        standings = standings.begun(candidate("a"), need, now);
        assertThat(next()).isEqualTo("give up");
        now += Duration.ofHours(25).toMillis();
        assertThat(next()).isEqualTo("ask a");
    }

    @Test
    void answersAtOnceAreBounded() {
        with("a", MODEL, DataUse.NO_TRAINING, Allowance.UNBOUNDED.concurrent(1)).with("b", MODEL);
        standings = standings.begun(candidate("a"), need, now);
        assertThat(next()).isEqualTo("ask b");
        standings = standings.ended(candidate("a"), need, 1, 1, now, now);
        assertThat(next()).isEqualTo("ask a");
    }

    @Test
    void attemptsAreBoundedWhateverHappens() {
        with("a", MODEL).with("b", MODEL).with("c", MODEL);
        policy = policy.retries(100).waitAtMost(Duration.ofDays(1));
        int asked = 0;
        Step step = step();
        while (!(step instanceof Step.GiveUp)) {
            switch (step) {
                case Step.Ask(Candidate candidate) -> {
                    asked++;
                    fails(candidate.profile().name(), FailureKind.NETWORK, 0);
                }
                case Step.Wait(long millis) -> passes(millis);
                case Step.GiveUp _ -> {}
            }
            step = step();
        }
        assertThat(asked).isEqualTo(policy.attemptsAtMost());
    }
}
