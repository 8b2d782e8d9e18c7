package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.governance.ledger.UsageBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the log took, and what part of it a pool needs.
 *
 * @param plan the pool
 * @param fast each kind of command alone, as fast as it went
 * @param beside each kind at the rate that is needed, all at the same time
 * @param neededPerSecond that rate of each kind
 */
public record LogFigures(
        LogBench.Plan plan, List<Kind> fast, List<Kind> beside, List<Double> neededPerSecond) {
    /** Every worker starts anew so often, and some other is forgotten for it. */
    private static final int RESTART_SECONDS = 7_200;

    /** A coordinator posts usage so often. */
    private static final int USAGE_SECONDS = 10;

    private static final int COORDINATORS = 3;

    /** While workers come and go all the time, the leader plans anew so often. */
    private static final double PLAN_SECONDS = 1.5;

    /** What else is small: usage of the day, keys, policy. */
    private static final double SUNDRY_PER_SECOND = 0.2;

    /**
     * Commands of one kind.
     *
     * @param name small (a worker registers), usage (a full batch), placement (of all workers)
     * @param perSecond how many were acknowledged
     * @param p50Millis median time until the acknowledgement
     * @param p99Millis of a hundred, the slowest but one
     * @param worstMillis the slowest
     * @param count how many there were
     */
    public record Kind(
            String name,
            double perSecond,
            double p50Millis,
            double p99Millis,
            double worstMillis,
            int count) {
        static Kind of(String name, double seconds, List<Double> millis) {
            double[] sorted = millis.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            if (sorted.length == 0) {
                throw new BenchException(
                        "No command was acknowledged in %.0f s.".formatted(seconds));
            }
            return new Kind(
                    name,
                    sorted.length / seconds,
                    sorted[sorted.length / 2],
                    sorted[Math.min(sorted.length - 1, sorted.length * 99 / 100)],
                    sorted[sorted.length - 1],
                    sorted.length);
        }
    }

    /** Registrations and what is as small, in a second. */
    static double smallNeeded(LogBench.Plan plan) {
        return 2.0 * plan.workers() / RESTART_SECONDS + SUNDRY_PER_SECOND;
    }

    /**
     * Full batches in a second, if every worker earned and every request was another account's at
     * every coordinator.
     */
    static double usageNeeded(LogBench.Plan plan) {
        double payers = (double) plan.requestsPerSecond() * USAGE_SECONDS / COORDINATORS;
        double batches = Math.ceil((plan.workers() + payers) / UsageBatch.MAX_ENTRIES);
        return COORDINATORS * batches / USAGE_SECONDS;
    }

    /** Plans in a second. */
    static double placementsNeeded() {
        return 1 / PLAN_SECONDS;
    }

    /**
     * The part of the log's time that the pool takes: what is needed of each kind, of what goes.
     */
    public double neededPart() {
        double part = 0;
        for (int i = 0; i < fast.size(); i++) {
            part += neededPerSecond.get(i) / fast.get(i).perSecond();
        }
        return part;
    }

    /** For people. */
    public String table() {
        Table table =
                new Table("COMMANDS", "PER SECOND", "NEEDED", "PART", "P50, MS", "P99", "SLOWEST");
        for (int i = 0; i < fast.size(); i++) {
            double needed = neededPerSecond.get(i);
            row(table, fast.get(i), needed, needed / fast.get(i).perSecond());
        }
        for (Kind kind : beside) {
            Object[] cells = {
                kind.name() + ", all at once",
                of(kind.perSecond()),
                "",
                "",
                of(kind.p50Millis()),
                of(kind.p99Millis()),
                of(kind.worstMillis())
            };
            table.row(cells);
        }
        return "%s%n%,d workers and %,d requests a second need %.3f of what the log takes%n"
                .formatted(table, plan.workers(), plan.requestsPerSecond(), neededPart());
    }

    private static void row(Table table, Kind kind, double needed, double part) {
        List<Object> cells = new ArrayList<>();
        cells.addAll(List.of(kind.name(), of(kind.perSecond()), "%.2f".formatted(needed)));
        cells.addAll(List.of("%.4f".formatted(part), of(kind.p50Millis())));
        cells.addAll(List.of(of(kind.p99Millis()), of(kind.worstMillis())));
        table.row(cells.toArray());
    }

    private static String of(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
