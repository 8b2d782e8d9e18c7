package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.terminal.Table;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What clients saw of replicated registers while the network between coordinators broke.
 *
 * @param coordinators how many there were
 * @param clients that read and wrote at once
 * @param cuts of each kind, the milliseconds until a write was acknowledged that was sent after it
 * @param calls what became of the calls
 * @param judgement whether one copy of each register could have said it
 */
public record PartitionReport(
        int coordinators,
        int clients,
        Map<Cut, List<Double>> cuts,
        Calls calls,
        Judgement judgement) {

    /**
     * Calls of clients.
     *
     * @param made all of them
     * @param acknowledged answered
     * @param unknown without an answer: they may have taken effect
     * @param refused had no effect
     * @param registers that were read and written
     * @param operations on these; a call may be several, as when all settings are read
     */
    public record Calls(
            long made,
            long acknowledged,
            long unknown,
            long refused,
            int registers,
            long operations) {}

    /**
     * What the check found.
     *
     * @param faults of each register that was not linearizable, the smallest part that shows it
     * @param undecided registers for which the search was given up
     */
    public record Judgement(List<String> faults, int undecided) {
        /** Whether every register was linearizable. */
        public boolean linearizable() {
            return faults.isEmpty() && undecided == 0;
        }
    }

    /** For people. */
    public String table() {
        Table table = new Table("CUT", "TIMES", "MS UNTIL A WRITE: SHORTEST", "MEDIAN", "LONGEST");
        cuts.forEach((cut, millis) -> {
            List<Double> sorted = millis.stream().sorted().toList();
            if (!sorted.isEmpty()) {
                table.row(
                        cut.words(),
                        sorted.size(),
                        shown(sorted.getFirst()),
                        shown(sorted.get(sorted.size() / 2)),
                        shown(sorted.getLast()));
            }
        });
        return ("%d coordinators, %d clients%n"
                        + "calls: %d, %d acknowledged, %d with an unknown outcome, %d refused%n"
                        + "%d operations on %d registers: %s%n%n%s")
                .formatted(
                        coordinators,
                        clients,
                        calls.made(),
                        calls.acknowledged(),
                        calls.unknown(),
                        calls.refused(),
                        calls.operations(),
                        calls.registers(),
                        verdict(),
                        table);
    }

    private String verdict() {
        if (!judgement.faults().isEmpty()) {
            return "NOT LINEARIZABLE\n" + String.join("\n", judgement.faults());
        }
        return judgement.undecided() == 0
                ? "linearizable"
                : "undecided for %d".formatted(judgement.undecided());
    }

    /** For programs. */
    public Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("coordinators", coordinators);
        values.put("clients", clients);
        cuts.forEach((cut, millis) -> {
            String name = cut.name().toLowerCase(Locale.ROOT);
            values.put("cuts_" + name, millis.size());
            values.put(
                    "longest_until_write_millis_" + name,
                    millis.isEmpty() ? 0 : Collections.max(millis));
        });
        values.put("calls", calls.made());
        values.put("acknowledged", calls.acknowledged());
        values.put("unknown", calls.unknown());
        values.put("refused", calls.refused());
        values.put("registers", calls.registers());
        values.put("operations", calls.operations());
        values.put("linearizable", judgement.linearizable());
        values.put("undecided", judgement.undecided());
        values.put("faults", judgement.faults());
        return values;
    }

    private static String shown(double millis) {
        return String.format(Locale.ROOT, "%.0f", millis);
    }
}
