package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.terminal.Table;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What became of answers and of the log while coordinators were killed.
 *
 * @param coordinators how many there were
 * @param readers answers that ran at once
 * @param rounds kills
 * @param leaders how many of these hit the leader
 * @param electionMillis from the kill of a leader to the word of another coordinator that a new one
 *     leads
 * @param returnMillis from the start of a killed coordinator until it served again
 * @param seen what the readers saw
 * @param acknowledged commands that were acknowledged
 * @param lost commands among them that some coordinator did not know at the end
 * @param gapMillis the longest time in which no command was acknowledged
 */
public record CoordinatorFaultReport(
        int coordinators,
        int readers,
        int rounds,
        int leaders,
        List<Double> electionMillis,
        List<Double> returnMillis,
        SteadyReaders.Seen seen,
        int acknowledged,
        int lost,
        double gapMillis) {

    /** Whether everything was as promised. */
    public boolean whole() {
        return seen.broken() == 0 && seen.torn() == 0 && lost == 0;
    }

    /** For people. */
    public String table() {
        Table table = new Table("MILLISECONDS", "P50", "P95", "LONGEST", "OF");
        row(table, "until a new leader is known", electionMillis);
        row(table, "until a killed one serves again", returnMillis);
        row(table, "longest pause of each answer", seen.pauseMillis());
        return ("%d coordinators, %d readers at once, %d killed, %d of them the leader%n"
                        + "answers: %d whole, %d broken, %d with a token missing or doubled, %d in other words%n"
                        + "commands: %d acknowledged, %d of them lost, at most %.0f ms without one%n%n%s")
                .formatted(
                        coordinators,
                        readers,
                        rounds,
                        leaders,
                        seen.finished(),
                        seen.broken(),
                        seen.torn(),
                        seen.otherWords(),
                        acknowledged,
                        lost,
                        gapMillis,
                        table);
    }

    private static void row(Table table, String what, List<Double> millis) {
        table.row(
                what,
                shown(percentile(millis, 0.5)),
                shown(percentile(millis, 0.95)),
                shown(percentile(millis, 1)),
                millis.size());
    }

    private static String shown(double millis) {
        return String.format(Locale.ROOT, "%.0f", millis);
    }

    /** For programs. */
    public Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("coordinators", coordinators);
        values.put("readers", readers);
        values.put("rounds", rounds);
        values.put("leaders_killed", leaders);
        values.put("answers_whole", seen.finished());
        values.put("answers_broken", seen.broken());
        values.put("answers_torn", seen.torn());
        values.put("answers_in_other_words", seen.otherWords());
        values.put("pause_p50_millis", percentile(seen.pauseMillis(), 0.5));
        values.put("pause_p95_millis", percentile(seen.pauseMillis(), 0.95));
        values.put("pause_longest_millis", percentile(seen.pauseMillis(), 1));
        values.put("election_p50_millis", percentile(electionMillis, 0.5));
        values.put("election_p95_millis", percentile(electionMillis, 0.95));
        values.put("election_longest_millis", percentile(electionMillis, 1));
        values.put("return_p95_millis", percentile(returnMillis, 0.95));
        values.put("commands_acknowledged", acknowledged);
        values.put("commands_lost", lost);
        values.put("commands_gap_millis", gapMillis);
        return values;
    }

    private static double percentile(List<Double> values, double part) {
        if (values.isEmpty()) {
            return 0;
        }
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted[(int) Math.ceil(part * sorted.length) - 1];
    }
}
