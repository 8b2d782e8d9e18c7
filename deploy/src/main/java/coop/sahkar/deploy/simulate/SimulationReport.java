package coop.sahkar.deploy.simulate;

import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.proto.Problem;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What came of one run.
 *
 * @param seed of the run
 * @param simulatedSeconds how long it was there
 * @param seconds how long it took here
 * @param events how much happened
 * @param traceHash equal for equal runs
 * @param availability part of all models' time in which they could be used
 * @param gapMillis lengths of the gaps in models that had been covered
 * @param plans what each plan took here
 * @param generation placements adopted
 * @param fetches shards fetched
 * @param fetchedBytes their bytes
 * @param asked generations asked for
 * @param finished those that came to their end
 * @param repaired those of them that went on along another route
 * @param refused those that were refused at once, by kind
 * @param failed those that were begun and failed, by kind
 * @param pauseMillis from the last token before a repair to the first after it, as the reader sees
 * @param tokens committed in all
 * @param tokensWanted asked for in all
 * @param tokensPossible what all memory bandwidth that was there could decode, one token at a time
 * @param leavingMillis from a worker's word that it leaves to its end
 * @param leaversCutOff those of them that had not handed over everything in their time
 * @param newcomerMillis from a worker's start to its first shard
 * @param workersRefused times that the pool let a worker not in
 * @param reuse what was not computed again
 * @param troubles what went wrong, by kind
 */
public record SimulationReport(
        long seed,
        double simulatedSeconds,
        double seconds,
        long events,
        long traceHash,
        double availability,
        List<Long> gapMillis,
        List<PlanTime> plans,
        long generation,
        int fetches,
        long fetchedBytes,
        int asked,
        int finished,
        int repaired,
        SortedMap<Problem.Kind, Integer> refused,
        SortedMap<Problem.Kind, Integer> failed,
        List<Long> pauseMillis,
        long tokens,
        long tokensWanted,
        double tokensPossible,
        List<Long> leavingMillis,
        int leaversCutOff,
        List<Long> newcomerMillis,
        int workersRefused,
        Reuse reuse,
        SortedMap<String, Integer> troubles) {

    /**
     * What was not computed again.
     *
     * @param turns next turns of chats
     * @param rowsReused positions that stages still had of the turns before
     * @param moved sessions whose KV went over from a worker that left
     * @param rowsMoved positions of those
     * @param notMoved sessions for which that was tried in vain
     * @param pagesWritten pages of boundary logs that went to disk
     * @param pagesRead those that were read back
     */
    public record Reuse(
            int turns,
            long rowsReused,
            long moved,
            long rowsMoved,
            long notMoved,
            int pagesWritten,
            int pagesRead) {}

    static SimulationReport of(World world, long nanos) {
        world.countUp();
        Tally tally = world.tally();
        return new SimulationReport(
                world.scenario().seed(),
                world.simulatedSeconds(),
                nanos / 1e9,
                world.agenda().happened(),
                world.trace().hash(),
                world.availability(),
                world.coverage().gapMillis(),
                List.copyOf(tally.plans),
                world.log().newest().placement().generation(),
                tally.fetches,
                tally.fetchedBytes,
                tally.asked,
                tally.finished,
                tally.survived,
                new TreeMap<>(tally.refusals),
                new TreeMap<>(tally.failures),
                List.copyOf(tally.pauseMillis),
                tally.tokens,
                tally.tokensWanted,
                tally.tokensPossible,
                List.copyOf(tally.leavingMillis),
                tally.leaversCutOff,
                List.copyOf(tally.newcomerMillis),
                tally.workersRefused,
                new Reuse(
                        tally.turns,
                        tally.rowsReused,
                        tally.moved,
                        tally.rowsMoved,
                        tally.notMoved,
                        tally.pagesWritten,
                        tally.pagesRead),
                new TreeMap<>(tally.troubles));
    }

    /** The value that {@code part} of all samples do not exceed; 0 without samples. */
    static long percentile(List<Long> samples, double part) {
        if (samples.isEmpty()) {
            return 0;
        }
        List<Long> sorted = samples.stream().sorted().toList();
        int at = (int) Math.ceil(part * sorted.size()) - 1;
        return sorted.get(Math.clamp(at, 0, sorted.size() - 1));
    }

    /** As people read it. */
    public String text() {
        Table table = new Table("what", "how much");
        table.row(
                "seed " + seed,
                say(
                        "%.0f simulated seconds in %.1f s, %d events",
                        simulatedSeconds, seconds, events));
        table.row("trouble", troubles);
        table.row("models usable", say("%.3f %% of their time", 100 * availability));
        table.row("gaps", gapMillis.size() + spread(gapMillis, 1000, "s"));
        List<Long> wall = plans.stream().map(PlanTime::wallNanos).toList();
        List<Long> processor = plans.stream().map(PlanTime::processorNanos).toList();
        table.row("placements", generation);
        table.row("plans", plans.size() + spread(wall, 1e6, "ms"));
        table.row("of processor time", spread(processor, 1e6, "ms").replaceFirst("^, ", ""));
        plans.stream()
                .max(Comparator.comparingLong(PlanTime::wallNanos))
                .ifPresent(slowest -> table.row("slowest plan", slowest.text()));
        table.row("fetched", fetches + " shards, " + Amounts.bytes(fetchedBytes));
        table.row(
                "generations",
                say(
                        "%d asked, %d finished (%d after a repair), refused %s, failed %s",
                        asked, finished, repaired, refused, failed));
        table.row("pauses", pauseMillis.size() + spread(pauseMillis, 1000, "s"));
        double time = Math.max(1, simulatedSeconds);
        table.row(
                "tokens a second",
                say(
                        "%.1f served of %.1f asked for; bandwidth for %.0f",
                        tokens / time, tokensWanted / time, tokensPossible / time));
        table.row(
                "leavers",
                say("%d, %d of them cut off", leavingMillis.size(), leaversCutOff)
                        + spread(leavingMillis, 1000, "s to their end"));
        table.row(
                "newcomers",
                newcomerMillis.size() + spread(newcomerMillis, 1000, "s to their work"));
        table.row("workers not let in", workersRefused);
        table.row(
                "next turns",
                say("%d; stages had kept %d positions for them", reuse.turns, reuse.rowsReused));
        table.row(
                "KV moved",
                say(
                        "of %d sessions, %d positions; %d were computed after all",
                        reuse.moved, reuse.rowsMoved, reuse.notMoved));
        table.row(
                "log pages",
                say("%d written to disk, %d read back", reuse.pagesWritten, reuse.pagesRead));
        table.row("trace", Long.toHexString(traceHash));
        return table.toString();
    }

    private static String spread(List<Long> samples, double unit, String name) {
        if (samples.isEmpty()) {
            return "";
        }
        return say(
                ", p50 %.1f, p95 %.1f, p99 %.1f, most %.1f %s",
                percentile(samples, 0.5) / unit,
                percentile(samples, 0.95) / unit,
                percentile(samples, 0.99) / unit,
                percentile(samples, 1) / unit,
                name);
    }

    @SuppressWarnings({"FormatStringAnnotation", "AnnotateFormatMethod"})
    private static String say(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
