package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.coordinator.gateway.AdmissionQueue.Waiter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdmissionQueueTest {
    private final AdmissionQueue<String> queue = new AdmissionQueue<>(_ -> 1);
    private long nowMillis;

    /** Accounts' requests as they come; who is served, in order. */
    @ParameterizedTest
    @CsvSource({
        "a1 a2 a3,          a1 a2 a3",
        "a1 a2 a3 b1,       a1 b1 a2 a3",
        "a1 a2 a3 b1 b2 c1, a1 b1 c1 a2 b2 a3",
        "b1 a1 b2 a2,       b1 a1 b2 a2",
    })
    void accountsTakeTurns(String come, String served) {
        for (String who : come.split(" ", -1)) {
            add(who, "m");
        }
        assertThat(serveAll(Set.of())).isEqualTo(served);
        assertThat(queue.size()).isZero();
    }

    @Test
    void whoWasServedGoesBehindWhoeverWaits() {
        add("a1", "m");
        add("b1", "m");
        add("a2", "m");
        serve(queue.next(Set.of()));
        add("c1", "m");
        assertThat(serveAll(Set.of())).isEqualTo("b1 a2 c1");
    }

    @Test
    void aFullModelHoldsUpNoOther() {
        add("a1", "full");
        add("a2", "free");
        add("b1", "full");
        assertThat(serveAll(Set.of("full"))).isEqualTo("a2");
        assertThat(serveAll(Set.of())).isEqualTo("b1 a1");
    }

    @Test
    void whoGotNothingForItsTurnComesFirstAgain() {
        add("a1", "m");
        Waiter<String> first = queue.next(Set.of()).orElseThrow();
        queue.served(first, nowMillis);
        add("a2", "m");
        queue.addFirst(first);
        assertThat(serveAll(Set.of())).isEqualTo("a1 a2");
    }

    @Test
    void isBoundedAndLeavesHalfToOthers() {
        add("a1", "m");
        add("a2", "m");
        assertThat(queue.tooLong("a", 4)).isFalse();
        add("a3", "m");
        assertThat(queue.tooLong("a", 4)).as("more than half").isTrue();
        assertThat(queue.tooLong("b", 4)).isFalse();
        add("b1", "m");
        add("b2", "m");
        assertThat(queue.tooLong("b", 4)).as("five where four may be").isTrue();
        assertThat(queue.tooLong("c", 0)).as("nobody may wait").isTrue();
    }

    @Test
    void lettingGoKeepsTheRest() {
        add("a1", "m");
        add("a2", "n");
        add("b1", "m");
        assertThat(queue.removeIf(w -> w.model().equals("m")))
                .extracting(Waiter::who)
                .containsExactly("a1", "b1");
        assertThat(queue.size()).isEqualTo(1);
        assertThat(queue.waitsFor("m")).isFalse();
        assertThat(queue.waitsFor("n")).isTrue();
        assertThatThrownBy(() -> queue.served(new Waiter<>("a1", "a", "m", 0), 0))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void saysWhenToComeBackFromTheRateOfLate() {
        assertThat(queue.retryAfterMillis(0)).as("nothing known").isEqualTo(1_000);
        for (int i = 0; i < 10; i++) {
            add("a" + i, "m");
            serve(queue.next(Set.of()));
            nowMillis += 2_000;
        }
        assertThat(queue.retryAfterMillis(nowMillis)).isEqualTo(2_000);
        for (int i = 0; i < 4; i++) {
            add("b" + i, "m");
        }
        assertThat(queue.retryAfterMillis(nowMillis)).as("behind four").isEqualTo(10_000);
        assertThat(queue.retryAfterMillis(nowMillis + 3_600_000)).as("a bound").isEqualTo(60_000);
    }

    /** Weights of the accounts a, b and c; turns of each among the first of many. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1,     30,  10, 10, 10",
        "16, 16, 16,  30,  10, 10, 10",
        "128, 16, 16, 100, 80, 10, 10",
        "128, 64, 64, 100, 50, 25, 25",
        "3, 2, 1,     60,  30, 20, 10",
    })
    void turnsAreSharedByWeight(int a, int b, int c, int turns, int ofA, int ofB, int ofC) {
        AdmissionQueue<String> weighted =
                new AdmissionQueue<>(account ->
                        switch (account) {
                            case "a" -> a;
                            case "b" -> b;
                            default -> c;
                        });
        int[] served = new int[3];
        for (String account : List.of("a", "b", "c")) {
            for (int i = 0; i < turns; i++) {
                weighted.add(new Waiter<>(account, account, "m", 0));
            }
        }
        for (int i = 0; i < turns; i++) {
            Waiter<String> next = weighted.next(Set.of()).orElseThrow();
            weighted.served(next, 0);
            served[next.account().charAt(0) - 'a']++;
        }
        assertThat(served[0]).isBetween(ofA - 2, ofA + 2);
        assertThat(served[1]).isBetween(ofB - 2, ofB + 2);
        assertThat(served[2]).isBetween(ofC - 2, ofC + 2);
    }

    /** Many who gave much keep coming, each time as somebody who was not there before. */
    @Test
    void whoGivesNothingHasItsTurnHoweverManyGiversCome() {
        AdmissionQueue<String> weighted =
                new AdmissionQueue<>(account -> account.equals("poor") ? 16 : 128);
        weighted.add(new Waiter<>("poor", "poor", "m", 0));
        int before = 0;
        for (int i = 0; i < 20; i++) {
            weighted.add(new Waiter<>("g", "giver" + i, "m", 0));
        }
        while (!weighted.next(Set.of()).orElseThrow().who().equals("poor")) {
            Waiter<String> giver = weighted.next(Set.of()).orElseThrow();
            weighted.served(giver, 0);
            weighted.add(giver);
            before++;
        }
        assertThat(before).isBetween(20, 8 * 20);
    }

    private void add(String who, String model) {
        queue.add(new Waiter<>(who, who.substring(0, 1), model, nowMillis));
    }

    private void serve(Optional<Waiter<String>> waiter) {
        queue.served(waiter.orElseThrow(), nowMillis);
    }

    private String serveAll(Set<String> full) {
        List<String> served = new ArrayList<>();
        Optional<Waiter<String>> next = queue.next(full);
        while (next.isPresent()) {
            served.add(next.get().who());
            serve(next);
            next = queue.next(full);
        }
        return served.stream().collect(Collectors.joining(" "));
    }
}
