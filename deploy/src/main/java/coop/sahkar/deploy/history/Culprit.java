package coop.sahkar.deploy.history;

import coop.sahkar.deploy.history.Linearizability.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Makes a history that no single copy could have gone through as small as it gets, for people. */
public final class Culprit {
    private final String initial;
    private final long mostSteps;

    private Culprit(String initial, long mostSteps) {
        this.initial = initial;
        this.mostSteps = mostSteps;
    }

    /**
     * The smallest part that shows the fault: cut off behind the first answer that is too much, and
     * without what is not needed.
     *
     * @param operations of one register, not linearizable
     * @param mostSteps for each look at a part
     */
    public static List<Operation> smallest(
            String initial, List<Operation> operations, long mostSteps) {
        Culprit culprit = new Culprit(initial, mostSteps);
        return culprit.withoutTheRest(culprit.shortest(operations));
    }

    /** For people, one line each, in milliseconds since the first call. */
    public static String shown(List<Operation> operations) {
        long start = operations.stream().mapToLong(Operation::calledNanos).min().orElse(0);
        return operations.stream()
                .sorted(Comparator.comparingLong(Operation::calledNanos))
                .map(one -> "  " + one.since(start))
                .collect(Collectors.joining("\n"));
    }

    private boolean bad(List<Operation> operations) {
        return Linearizability.check(initial, operations, mostSteps) == Verdict.NO;
    }

    /** Whatever follows upon a fault does not mend it. */
    private List<Operation> shortest(List<Operation> operations) {
        List<Long> answers =
                operations.stream()
                        .filter(Operation::acknowledged)
                        .map(Operation::returnedNanos)
                        .sorted()
                        .toList();
        int good = -1;
        int bad = answers.size() - 1;
        while (bad - good > 1) {
            int middle = (good + bad) / 2;
            if (bad(until(operations, answers.get(middle)))) {
                bad = middle;
            } else {
                good = middle;
            }
        }
        return until(operations, answers.get(bad));
    }

    /** As it looked at a moment. */
    private static List<Operation> until(List<Operation> operations, long nanos) {
        return operations.stream()
                .filter(one -> one.calledNanos() <= nanos)
                .filter(one ->
                        one.returnedNanos() <= nanos || !(one.action() instanceof Action.Read))
                .map(one -> one.returnedNanos() <= nanos ? one : one.unanswered())
                .toList();
    }

    /**
     * Leaves out reads, and writes whose value nobody sees: that mends a history or leaves it as it
     * is, but never breaks one. Many at once first, then one by one.
     */
    private List<Operation> withoutTheRest(List<Operation> operations) {
        List<Operation> kept =
                operations.stream()
                        .sorted(Comparator.comparingLong(Operation::calledNanos))
                        .toList();
        int size = Math.max(1, kept.size() / 2);
        while (true) {
            int before = kept.size();
            kept = withoutParts(kept, size);
            if (size > 1) {
                size /= 2;
            } else if (kept.size() == before) {
                return kept;
            }
        }
    }

    private List<Operation> withoutParts(List<Operation> operations, int size) {
        List<Operation> kept = operations;
        int from = 0;
        while (from < kept.size()) {
            int to = Math.min(kept.size(), from + size);
            List<Operation> without = new ArrayList<>(kept.subList(0, from));
            without.addAll(kept.subList(to, kept.size()));
            if (needless(kept.subList(from, to), without) && bad(without)) {
                kept = without;
            } else {
                from = to;
            }
        }
        return kept;
    }

    /** Whether none of the others saw what these gave. */
    private static boolean needless(List<Operation> some, List<Operation> others) {
        Set<String> values = Linearizability.seenBy(others);
        return some.stream()
                .map(one -> Linearizability.given(one.action()))
                .noneMatch(given -> given != null && values.contains(given));
    }
}
