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
 * @param elections terms that began meanwhile
 * @param electionMillis from the kill of a leader to the word of another coordinator that a new one
 *     leads
 * @param returnMillis from the start of a killed coordinator until it served again
 * @param control what the readers saw while nothing was done
 * @param seen what the readers saw from then on
 * @param ties what answers in other words began with
 * @param commands what became of what was written
 * @param books what was posted beside what was generated
 */
public record CoordinatorFaultReport(
        int coordinators,
        int readers,
        int rounds,
        int leaders,
        long elections,
        List<Double> electionMillis,
        List<Double> returnMillis,
        SteadyReaders.Seen control,
        SteadyReaders.Seen seen,
        NearTies.Verdict ties,
        Commands commands,
        PostedUsage.Books books) {

    /** Logits of two tokens that differ by more are not nearly even. */
    private static final double TIE = 0.5;

    /**
     * Commands that were written.
     *
     * @param acknowledged how many were
     * @param lost those among them that some coordinator did not know at the end
     * @param refused tries in vain
     * @param gapMillis the longest time in which none was acknowledged
     * @param waitMillis how long each took
     */
    record Commands(
            int acknowledged, int lost, int refused, double gapMillis, List<Double> waitMillis) {
        static Commands of(AckedCommands commands) {
            return new Commands(
                    commands.acknowledged(),
                    commands.lost().size(),
                    commands.refused(),
                    commands.longestGapMillis(),
                    commands.waitMillis());
        }
    }

    /** Whether everything was as promised. */
    public boolean whole() {
        return control.broken() + control.torn() + seen.broken() + seen.torn() == 0
                && ties.unlikely() == 0
                && ties.largest() <= TIE
                && commands.lost() == 0
                && books.once();
    }

    /** For people. */
    public String table() {
        Table table = new Table("MILLISECONDS", "P50", "P95", "P99", "LONGEST", "OF");
        row(table, "until a new leader is known", electionMillis);
        row(table, "until a killed one serves again", returnMillis);
        row(table, "longest pause of each answer", seen.pauseMillis());
        row(table, "until a command is acknowledged", commands.waitMillis());
        return ("%d coordinators, %d readers at once, %d killed, %d of them the leader; %d terms began%n"
                        + "answers: %d whole, %d broken, %d with a token missing or doubled%n"
                        + "in other words: %d of them, and of %d undisturbed ones %d; the tokens where %d of these part%n"
                        + "  from the known ones have logits that are at most %.3f apart (median %.3f), %d were unlikely%n"
                        + "commands: %d acknowledged, %d of them lost, %d tries in vain, at most %.0f ms without one%n"
                        + "usage: %d batches, %d doubled; %.4f of what was generated is posted%n%n%s")
                .formatted(
                        coordinators,
                        readers,
                        rounds,
                        leaders,
                        elections,
                        seen.finished(),
                        seen.broken(),
                        seen.torn(),
                        seen.otherWords(),
                        control.finished(),
                        control.otherWords(),
                        ties.gaps().size(),
                        ties.largest(),
                        percentile(ties.gaps(), 0.5),
                        ties.unlikely(),
                        commands.acknowledged(),
                        commands.lost(),
                        commands.refused(),
                        commands.gapMillis(),
                        books.batches(),
                        books.doubled(),
                        books.postedPart(),
                        table);
    }

    private static void row(Table table, String what, List<Double> millis) {
        table.row(
                what,
                shown(percentile(millis, 0.5)),
                shown(percentile(millis, 0.95)),
                shown(percentile(millis, 0.99)),
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
        values.put("elections", elections);
        values.put("answers_whole", seen.finished());
        values.put("answers_broken", seen.broken());
        values.put("answers_torn", seen.torn());
        values.put("answers_in_other_words", seen.otherWords());
        values.put("undisturbed_whole", control.finished());
        values.put("undisturbed_in_other_words", control.otherWords());
        values.put("other_words_gap_largest", ties.largest());
        values.put("other_words_unlikely", ties.unlikely());
        put(values, "pause", seen.pauseMillis());
        put(values, "election", electionMillis);
        put(values, "return", returnMillis);
        put(values, "command", commands.waitMillis());
        values.put("commands_acknowledged", commands.acknowledged());
        values.put("commands_lost", commands.lost());
        values.put("commands_refused", commands.refused());
        values.put("commands_gap_millis", commands.gapMillis());
        values.put("usage_batches", books.batches());
        values.put("usage_doubled", books.doubled());
        values.put("usage_posted_micros", books.postedMicros());
        values.put("usage_generated_micros", books.generatedMicros());
        return values;
    }

    private static void put(Map<String, Object> values, String what, List<Double> millis) {
        values.put(what + "_p50_millis", percentile(millis, 0.5));
        values.put(what + "_p95_millis", percentile(millis, 0.95));
        values.put(what + "_p99_millis", percentile(millis, 0.99));
        values.put(what + "_longest_millis", percentile(millis, 1));
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
