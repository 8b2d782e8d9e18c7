package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.terminal.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/**
 * What became of answers whose workers were struck.
 *
 * @param blow what was done to them
 * @param contextTokens tokens of the prompt
 * @param calmMillis the longest pause of the unbroken answer
 * @param late blows, not among the strikes, that came when all tokens were made
 * @param targets what was struck, by stage: "head", "middle → tail"
 * @param strikes one by one
 */
public record FaultReport(
        String blow,
        int contextTokens,
        double calmMillis,
        int late,
        List<String> targets,
        List<Strike> strikes) {
    public FaultReport {
        targets = List.copyOf(targets);
        strikes = List.copyOf(strikes);
    }

    /**
     * One answer.
     *
     * @param stage which stage of its route was struck, from 0
     * @param afterTokens tokens before the blow
     * @param finished whether the answer came to its end
     * @param once whether each of its tokens came exactly once
     * @param equal whether its text is that of the unbroken answer
     * @param pauseMillis the longest pause of the reader that ended after the blow
     * @param noticedMillis the part of it before the first question for another route
     * @param repairs questions for another route since the blow
     * @param survivorRows rows that stages which stayed had computed before and computed again
     * @param newcomerRows the same of stages that took a lost one's place
     * @param cause what was noticed first; empty if nothing was
     */
    public record Strike(
            int stage,
            int afterTokens,
            boolean finished,
            boolean once,
            boolean equal,
            double pauseMillis,
            double noticedMillis,
            int repairs,
            long survivorRows,
            long newcomerRows,
            String cause) {
        /** Whether it did anything to the answer; else all tokens were made when it came. */
        boolean felt() {
            return repairs > 0 || !finished || !once || !equal;
        }

        /** The part of the pause after the first question: finding a route, computing it again. */
        double mendedMillis() {
            return pauseMillis - noticedMillis;
        }
    }

    private record Part(String name, ToDoubleFunction<Strike> millis) {}

    private static final List<Part> PARTS =
            List.of(
                    new Part("noticed", Strike::noticedMillis),
                    new Part("mended", Strike::mendedMillis),
                    new Part("pause", Strike::pauseMillis));

    /** For people. */
    public String table() {
        List<String> heads = new ArrayList<>(List.of("struck", "answers", "finished", "equal"));
        for (Part part : PARTS) {
            heads.addAll(List.of(part.name() + " p50", "p95", "max"));
        }
        Table table = new Table(heads.toArray(String[]::new));
        for (int stage = 0; stage < targets.size(); stage++) {
            row(table, targets.get(stage), of(stage));
        }
        row(table, "all", strikes);
        return """
        %d answers struck (%s) at %d tokens of prompt; longest pause of the unbroken answer: %.0f ms
        (%d more blows came when all tokens were made, and are not counted)
        each token exactly once: %d of %d
        rows computed again, in the mean: %.1f by the stages that stayed, %.1f by those in a lost one's place
        milliseconds, from the last token before the blow to the first after it:

        %s\
        """
                .formatted(
                        strikes.size(),
                        blow,
                        contextTokens,
                        calmMillis,
                        late,
                        count(Strike::once),
                        strikes.size(),
                        mean(Strike::survivorRows),
                        mean(Strike::newcomerRows),
                        table);
    }

    private List<Strike> of(int stage) {
        return strikes.stream().filter(strike -> strike.stage() == stage).toList();
    }

    private long count(Predicate<Strike> test) {
        return count(strikes, test);
    }

    private static long count(List<Strike> some, Predicate<Strike> test) {
        return some.stream().filter(test).count();
    }

    private double mean(ToDoubleFunction<Strike> value) {
        return strikes.stream().mapToDouble(value).average().orElse(0);
    }

    private static void row(Table table, String name, List<Strike> some) {
        List<String> cells =
                new ArrayList<>(
                        List.of(
                                name,
                                Integer.toString(some.size()),
                                Long.toString(count(some, Strike::finished)),
                                Long.toString(count(some, Strike::equal))));
        for (Part part : PARTS) {
            for (double share : new double[] {0.5, 0.95, 1}) {
                cells.add(String.format(Locale.ROOT, "%.0f", quantile(some, part, share)));
            }
        }
        table.row(cells.toArray());
    }

    private static double quantile(List<Strike> some, Part part, double share) {
        double[] sorted = some.stream().mapToDouble(part.millis()).sorted().toArray();
        int index = (int) Math.ceil(share * sorted.length) - 1;
        return sorted.length == 0 ? 0 : sorted[Math.max(0, index)];
    }

    /** For programs. */
    public Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("blow", blow);
        values.put("context_tokens", contextTokens);
        values.put("calm_millis", calmMillis);
        values.put("late", late);
        values.put("targets", targets);
        values.put("struck", strikes.size());
        values.put("finished", count(Strike::finished));
        values.put("once", count(Strike::once));
        values.put("equal", count(Strike::equal));
        values.put("survivor_rows_mean", mean(Strike::survivorRows));
        values.put("newcomer_rows_mean", mean(Strike::newcomerRows));
        for (Part part : PARTS) {
            values.put(part.name() + "_p50_millis", quantile(strikes, part, 0.5));
            values.put(part.name() + "_p95_millis", quantile(strikes, part, 0.95));
            values.put(part.name() + "_max_millis", quantile(strikes, part, 1));
        }
        values.put("strikes", strikes);
        return values;
    }
}
