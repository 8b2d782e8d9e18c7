package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.terminal.Table;
import java.util.List;
import java.util.Locale;

/**
 * What a gateway did under load. Readers and the made-up head run in its process: memory is theirs
 * too.
 *
 * @param connections readers at once
 * @param slow readers that took nothing, beside them in the last part
 * @param perSecond tokens of each answer in a second
 * @param alone one reader
 * @param many all readers
 * @param besideSlow all readers beside the slow ones
 * @param heapPerStreamBytes live heap that each open stream takes at both ends
 * @param heapPerSlowBytes the same of a slow reader's
 * @param heldBackBytes most text that the head got rid of for a slow reader; networks' buffers hold
 *     it too
 * @param residentBytes memory of the process at the end; 0 when unknown
 * @param peakResidentBytes most memory that the process ever held; 0 when unknown
 * @param suspicions how often a head that was silent for long was taken for lost, and the answer
 *     went on with it anew
 * @param faults what went wrong, the first few of it
 */
public record GatewayFigures(
        int connections,
        int slow,
        int perSecond,
        Answers alone,
        Answers many,
        Answers besideSlow,
        long heapPerStreamBytes,
        long heapPerSlowBytes,
        long heldBackBytes,
        long residentBytes,
        long peakResidentBytes,
        int suspicions,
        List<String> faults) {

    /**
     * Some answers read at the same time.
     *
     * @param whole answers of which every token came once
     * @param tokens whose time was taken
     * @param p50Micros median time from the head that sends a token to the reader that has it
     * @param p99Micros of a hundred tokens, the time of the slowest but one
     * @param worstMicros of the slowest
     */
    public record Answers(
            int whole, int tokens, double p50Micros, double p99Micros, double worstMicros) {
        /**
         * @param delayNanos the shortest first
         */
        static Answers of(int whole, long[] delayNanos) {
            return new Answers(
                    whole,
                    delayNanos.length,
                    at(delayNanos, 50),
                    at(delayNanos, 99),
                    at(delayNanos, 100));
        }

        private static double at(long[] sorted, int percent) {
            if (sorted.length == 0) {
                return Double.NaN;
            }
            int index = (int) ((long) sorted.length * percent / 100);
            return sorted[Math.min(sorted.length - 1, index)] / 1e3;
        }
    }

    /** For people. */
    public String table() {
        Table times =
                new Table(
                        "readers", "whole answers", "tokens", "p50, ms", "p99, ms", "slowest, ms");
        row(times, "1", alone);
        row(times, "%,d".formatted(connections), many);
        row(times, "%,d beside %,d that take nothing".formatted(connections, slow), besideSlow);
        StringBuilder text = new StringBuilder();
        text.append(
                "From the head that sends a token to the reader that has it, %d a second each:%n%n%s%n"
                        .formatted(perSecond, times));
        line(text, "live heap for each open stream", heapPerStreamBytes / 1024.0, "kB");
        line(text, "the same for one that takes nothing", heapPerSlowBytes / 1024.0, "kB");
        line(text, "text held back by it, at most", heldBackBytes / 1024.0, "kB");
        line(text, "memory of the process", residentBytes / 1e6, "MB");
        line(text, "the most it was", peakResidentBytes / 1e6, "MB");
        line(text, "heads taken for lost", suspicions, "");
        line(text, "faults", faults.size(), "");
        faults.forEach(fault -> text.append("  ").append(fault).append('\n'));
        return text.toString();
    }

    private static void row(Table table, String who, Answers answers) {
        table.row(
                who,
                "%,d".formatted(answers.whole()),
                "%,d".formatted(answers.tokens()),
                millis(answers.p50Micros()),
                millis(answers.p99Micros()),
                millis(answers.worstMicros()));
    }

    private static String millis(double micros) {
        return String.format(Locale.ROOT, "%.2f", micros / 1e3);
    }

    private static void line(StringBuilder text, String what, double amount, String unit) {
        text.append(String.format(Locale.ROOT, "%-38s %10.0f %s%n", what, amount, unit));
    }
}
