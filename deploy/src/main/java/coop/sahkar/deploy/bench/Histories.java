package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.history.Action;
import coop.sahkar.deploy.history.Culprit;
import coop.sahkar.deploy.history.Linearizability;
import coop.sahkar.deploy.history.Linearizability.Verdict;
import coop.sahkar.deploy.history.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What all clients did to all registers, and what they heard. Thread-safe. */
final class Histories {
    private static final long MOST_STEPS = 20_000_000;

    private final SortedMap<String, History> registers = new TreeMap<>(); // guarded by this
    private long calls; // guarded by this
    private long acknowledged; // guarded by this
    private long unknown; // guarded by this
    private long refused; // guarded by this
    private long lastAcknowledgedCallNanos; // guarded by this

    /** One register. */
    private record History(String initial, List<Operation> operations) {}

    /** How one call went. */
    enum Outcome {
        /** It was answered. */
        ACKNOWLEDGED,
        /** It may have taken effect, or do so yet. */
        UNKNOWN,
        /** It took no effect. */
        REFUSED
    }

    Histories() {
        this.lastAcknowledgedCallNanos = System.nanoTime();
    }

    /** A register begins, with a value. */
    synchronized void begin(String register, String initial) {
        registers.putIfAbsent(register, new History(initial, new ArrayList<>()));
    }

    synchronized void add(String register, Operation operation) {
        History history = registers.get(register);
        if (history == null) {
            throw new IllegalArgumentException("no register is called " + register);
        }
        history.operations().add(operation);
        if (operation.acknowledged() && !(operation.action() instanceof Action.Read)) {
            lastAcknowledgedCallNanos =
                    Math.max(lastAcknowledgedCallNanos, operation.calledNanos());
        }
    }

    /** A call, which may have been several operations. */
    synchronized void count(Outcome outcome) {
        calls++;
        switch (outcome) {
            case ACKNOWLEDGED -> acknowledged++;
            case UNKNOWN -> unknown++;
            case REFUSED -> refused++;
        }
    }

    /** Whether a write was acknowledged that was sent after a moment. */
    synchronized boolean wroteSince(long nanos) {
        return lastAcknowledgedCallNanos - nanos > 0;
    }

    /** Calls so far. */
    synchronized PartitionReport.Calls calls() {
        long operations =
                registers.values().stream().mapToLong(one -> one.operations().size()).sum();
        return new PartitionReport.Calls(
                calls, acknowledged, unknown, refused, registers.size(), operations);
    }

    /** Judges every register. */
    PartitionReport.Judgement judge() {
        SortedMap<String, History> all;
        synchronized (this) {
            all = new TreeMap<>(registers);
        }
        List<String> faults = new ArrayList<>();
        int undecided = 0;
        for (Map.Entry<String, History> register : all.entrySet()) {
            String initial = register.getValue().initial();
            List<Operation> operations = register.getValue().operations();
            Verdict verdict = Linearizability.check(initial, operations, MOST_STEPS);
            if (verdict == Verdict.UNDECIDED) {
                undecided++;
            } else if (verdict == Verdict.NO) {
                faults.add(
                        "%s, %s at first:%n%s"
                                .formatted(
                                        register.getKey(),
                                        initial.isEmpty() ? "unset" : initial,
                                        Culprit.shown(
                                                Culprit.smallest(
                                                        initial, operations, MOST_STEPS))));
            }
        }
        return new PartitionReport.Judgement(faults, undecided);
    }
}
