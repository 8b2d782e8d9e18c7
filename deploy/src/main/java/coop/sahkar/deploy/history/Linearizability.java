package coop.sahkar.deploy.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks for an order of all operations on a register that one copy of it could have gone through,
 * each taking effect at a moment between its call and its answer. The search is that of Wing and
 * Gong, with what Lowe added: a set of operations done and the value they led to is tried once.
 *
 * <p>Registers are independent, and a history is linearizable if that of each register is; so each
 * is looked at for itself. An operation without an answer may be done at any time since its call,
 * or never. One whose value nobody ever saw is left out: where it fits in, nothing changes without
 * it.
 */
public final class Linearizability {
    /** What was found. */
    public enum Verdict {
        /** There is such an order. */
        YES,
        /** There is none. */
        NO,
        /** None was found in the steps that were allowed. */
        UNDECIDED
    }

    /** Calls at one time for which there is room at once. */
    private static final int FEW = 16;

    private final Operation[] known; // by call
    private final Operation[] open; // without an answer
    private final BitSet done = new BitSet();
    private final BitSet used = new BitSet();
    private final Set<Seen> seen = new HashSet<>();
    private String value;
    private int first; // those before it are done
    private int left;

    /** What leads to the same future. */
    private record Seen(int first, BitSet done, BitSet used, String value) {}

    /** A choice, and what it was made from. */
    private static final class Node {
        final int[] candidates;
        final String before;
        int next;

        Node(int[] candidates, String before) {
            this.candidates = candidates;
            this.before = before;
        }
    }

    private Linearizability(String initial, List<Operation> operations) {
        Comparator<Operation> byCall = Comparator.comparingLong(Operation::calledNanos);
        this.known =
                operations.stream()
                        .filter(Operation::acknowledged)
                        .sorted(byCall)
                        .toArray(Operation[]::new);
        this.open = seenOpen(operations);
        this.value = initial;
        this.left = known.length;
    }

    /**
     * Judges the history of one register.
     *
     * @param initial its value before
     * @param operations in any order
     * @param mostSteps after how many the search is given up
     */
    public static Verdict check(String initial, List<Operation> operations, long mostSteps) {
        return new Linearizability(initial, operations).search(mostSteps);
    }

    /** Unanswered ones of which somebody saw the value. */
    private static Operation[] seenOpen(List<Operation> operations) {
        List<Operation> needed =
                new ArrayList<>(operations.stream().filter(Operation::acknowledged).toList());
        List<Operation> unanswered =
                new ArrayList<>(operations.stream().filter(one -> !one.acknowledged()).toList());
        List<Operation> open = new ArrayList<>();
        boolean more = true;
        while (more) {
            Set<String> values = seenBy(needed);
            List<Operation> found =
                    unanswered.stream()
                            .filter(one -> values.contains(given(one.action())))
                            .toList();
            unanswered.removeAll(found);
            needed.addAll(found);
            open.addAll(found);
            more = !found.isEmpty();
        }
        return open.toArray(Operation[]::new);
    }

    /** The values that must have been there for these. */
    static Set<String> seenBy(List<Operation> operations) {
        Set<String> values = new HashSet<>();
        for (Operation one : operations) {
            switch (one.action()) {
                case Action.Read(String value) -> values.add(value);
                case Action.Swap(String expected, _) -> values.add(expected);
                case Action.Write _ -> {}
            }
        }
        return values;
    }

    /** Which value is there afterwards because of it; null for a read. */
    static @Nullable String given(Action action) {
        return switch (action) {
            case Action.Read _ -> null;
            case Action.Write(String value) -> value;
            case Action.Swap(_, String value) -> value;
        };
    }

    private Verdict search(long mostSteps) {
        Deque<Node> path = new ArrayDeque<>();
        path.push(new Node(candidates(), value));
        for (long step = 0; left > 0; step++) {
            if (step >= mostSteps) {
                return Verdict.UNDECIDED;
            }
            Node node = path.element();
            if (node.next == node.candidates.length) {
                path.pop();
                if (path.isEmpty()) {
                    return Verdict.NO;
                }
                undo(path.element());
            } else if (take(node.candidates[node.next++])) {
                path.push(new Node(candidates(), value));
            }
        }
        return Verdict.YES;
    }

    /** A candidate by its number: those without an answer come below zero. */
    private Operation at(int candidate) {
        return candidate >= 0 ? known[candidate] : open[~candidate];
    }

    /**
     * What may come next: whatever was called before the first answer that is still to come. A read
     * of the value as it is comes first and needs no other choice beside it: it changes nothing.
     */
    private int[] candidates() {
        long bound = Operation.NEVER;
        for (int i = first; i < known.length && known[i].calledNanos() <= bound; i++) {
            if (!done.get(i)) {
                bound = Math.min(bound, known[i].returnedNanos());
            }
        }
        int[] all = new int[open.length + FEW];
        int count = 0;
        for (int i = first; i < known.length && known[i].calledNanos() <= bound; i++) {
            if (!done.get(i)) {
                if (known[i].action().equals(new Action.Read(value))) {
                    return new int[] {i};
                }
                if (count == all.length - open.length) {
                    all = Arrays.copyOf(all, count * 2 + open.length);
                }
                all[count++] = i;
            }
        }
        for (int i = 0; i < open.length; i++) {
            if (!used.get(i) && open[i].calledNanos() <= bound) {
                all[count++] = ~i;
            }
        }
        return Arrays.copyOf(all, count);
    }

    /** Does one, if it can be done now and leads somewhere new. */
    private boolean take(int candidate) {
        String next = after(at(candidate).action());
        if (next == null) {
            return false;
        }
        int firstBefore = first;
        String valueBefore = value;
        mark(candidate, true);
        while (done.get(first)) {
            first++;
        }
        value = next;
        BitSet rest = done.get(first, known.length);
        if (seen.add(new Seen(first, rest, (BitSet) used.clone(), value))) {
            return true;
        }
        mark(candidate, false);
        first = firstBefore;
        value = valueBefore;
        return false;
    }

    private void undo(Node node) {
        int candidate = node.candidates[node.next - 1];
        mark(candidate, false);
        if (candidate >= 0) {
            first = Math.min(first, candidate);
        }
        value = node.before;
    }

    private void mark(int candidate, boolean as) {
        if (candidate >= 0) {
            done.set(candidate, as);
            left += as ? -1 : 1;
        } else {
            used.set(~candidate, as);
        }
    }

    /** The value after an action; null if it cannot come out so now. */
    private @Nullable String after(Action action) {
        return switch (action) {
            case Action.Read(String read) -> read.equals(value) ? value : null;
            case Action.Write(String written) -> written;
            case Action.Swap(String expected, String written) ->
                    expected.equals(value) ? written : null;
        };
    }
}
