package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.terminal.Table;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What became of answers whose workers were struck.
 *
 * @param blow what was done to them
 * @param contextTokens tokens of the prompt
 * @param calmMillis the longest pause of the unbroken answer
 * @param strikes one by one
 */
public record FaultReport(String blow, int contextTokens, double calmMillis, List<Strike> strikes) {

    /**
     * One answer.
     *
     * @param stage which stage of its route was struck, from 0
     * @param afterTokens tokens before the blow
     * @param finished whether the answer came to its end
     * @param once whether each of its tokens came exactly once
     * @param equal whether its text is that of the unbroken answer
     * @param pauseMillis the longest pause after the blow
     * @param foundMillis from the blow to the first question for another route
     * @param rowsAgain rows that surviving stages computed twice
     */
    public record Strike(
            int stage,
            int afterTokens,
            boolean finished,
            boolean once,
            boolean equal,
            double pauseMillis,
            long foundMillis,
            long rowsAgain) {}

    /** For people. */
    public String table() {
        Table table =
                new Table(
                        "stage",
                        "answers",
                        "finished",
                        "equal",
                        "found p50",
                        "found max",
                        "pause p50",
                        "p95",
                        "max ms");
        int stages = strikes.stream().mapToInt(Strike::stage).max().orElse(0) + 1;
        for (int stage = 0; stage < stages; stage++) {
            int which = stage;
            row(
                    table,
                    stage == 0 ? "head" : stage == stages - 1 ? "tail" : "middle",
                    strikes.stream().filter(strike -> strike.stage() == which).toList());
        }
        row(table, "all", strikes);
        return """
        %d answers struck (%s) at %d tokens of prompt; longest pause of the unbroken answer: %.0f ms
        each token exactly once: %d of %d; surviving stages computed %.1f rows twice in the mean

        %s\
        """
                .formatted(
                        strikes.size(),
                        blow,
                        contextTokens,
                        calmMillis,
                        strikes.stream().filter(Strike::once).count(),
                        strikes.size(),
                        strikes.stream().mapToLong(Strike::rowsAgain).average().orElse(0),
                        table);
    }

    private static void row(Table table, String name, List<Strike> some) {
        double[] pauses = some.stream().mapToDouble(Strike::pauseMillis).sorted().toArray();
        double[] found = some.stream().mapToDouble(Strike::foundMillis).sorted().toArray();
        table.row(
                name,
                Integer.toString(some.size()),
                Long.toString(some.stream().filter(Strike::finished).count()),
                Long.toString(some.stream().filter(Strike::equal).count()),
                millis(quantile(found, 0.5)),
                millis(quantile(found, 1)),
                millis(quantile(pauses, 0.5)),
                millis(quantile(pauses, 0.95)),
                millis(quantile(pauses, 1)));
    }

    private static double quantile(double[] sorted, double share) {
        int index = (int) Math.ceil(share * sorted.length) - 1;
        return sorted.length == 0 ? 0 : sorted[Math.max(0, index)];
    }

    private static String millis(double value) {
        return String.format(Locale.ROOT, "%.0f", value);
    }

    /** For programs. */
    public Map<String, Object> values() {
        double[] pauses = strikes.stream().mapToDouble(Strike::pauseMillis).sorted().toArray();
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("blow", blow);
        values.put("context_tokens", contextTokens);
        values.put("calm_millis", calmMillis);
        values.put("finished", strikes.stream().filter(Strike::finished).count());
        values.put("equal", strikes.stream().filter(Strike::equal).count());
        values.put("pause_p50_millis", quantile(pauses, 0.5));
        values.put("pause_p95_millis", quantile(pauses, 0.95));
        values.put("pause_max_millis", quantile(pauses, 1));
        double[] found = strikes.stream().mapToDouble(Strike::foundMillis).sorted().toArray();
        values.put("found_p50_millis", quantile(found, 0.5));
        values.put("found_max_millis", quantile(found, 1));
        values.put("strikes", strikes);
        return values;
    }
}
