package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.simulate.Scenario;
import coop.sahkar.deploy.simulate.Simulation;
import coop.sahkar.deploy.simulate.SimulationFailure;
import coop.sahkar.deploy.simulate.SimulationReport;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sahkar simulate}. */
@Command(
        name = "simulate",
        description = {
            "Break a pool that exists in virtual time only, and see whether it heals.",
            "",
            "The placement, routing, liveness, reconciling, stage engines and repairs that run in production meet workers, disks and a network made up from a seed, and compute a model made of arithmetic: workers come and go, die, stop, slow down, or lie; networks fall apart, cut one way, deliver late or twice; disks are slow or full; coordinators restart. Chats go on in sessions that rest. After each event it is checked that what must hold does: above all that each answer gets every token of it, once. At the end the world heals, and progress is demanded.",
            "",
            "Not simulated: relays, admission queues, sockets, llama.cpp, clients.",
            "",
            "The same seed gives the same run. A run that fails prints its seed and what led to it.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar simulate",
            "  sahkar simulate --seeds 1..1000",
            "  sahkar simulate --sessions --seeds 1..1000",
            "  sahkar simulate --seeds 42 --trace",
            "  sahkar simulate --workers 10000 --models 100 --hours 1"
        })
final class SimulateCommand extends Subcommand {
    private static final Pattern SEEDS = Pattern.compile("(-?\\d{1,18})(?:\\.\\.(-?\\d{1,18}))?");
    private static final double MOST_HOURS = 1000;

    @Option(
            names = "--seeds",
            paramLabel = "A..B",
            defaultValue = "1..20",
            description = "One seed, or all from one to another. Default: 1..20.")
    private String seeds = "1..20";

    @Option(
            names = "--workers",
            paramLabel = "N",
            description = "Workers at a time. Default: 2 to 30, by the seed.")
    private @Nullable Integer workers;

    @Option(
            names = "--models",
            paramLabel = "N",
            description = "Models published. Default: 1 to 5, by the seed.")
    private @Nullable Integer models;

    @Option(
            names = "--hours",
            paramLabel = "H",
            description = "Simulated hours of trouble. Default: some minutes, by the seed.")
    private @Nullable Double hours;

    @Option(
            names = "--sessions",
            description =
                    "Smaller worlds in which workers and links of running answers are hit again and again.")
    private boolean sessions;

    @Option(names = "--trace", description = "Print every line of what happens.")
    private boolean trace;

    @Override
    public Integer call() {
        Matcher range = SEEDS.matcher(seeds);
        if (!range.matches()) {
            throw new CommandFailure(
                    ExitCode.USAGE, "--seeds takes a number or a range such as 1..100.");
        }
        long first = Long.parseLong(range.group(1));
        long last = range.group(2) == null ? first : Long.parseLong(range.group(2));
        if (last < first) {
            throw new CommandFailure(
                    ExitCode.USAGE, "--seeds goes from the smaller to the larger.");
        }
        int failed = 0;
        for (long seed = first; seed <= last; seed++) {
            failed += run(seed) ? 0 : 1;
        }
        long runs = last - first + 1;
        note("%d of %d runs kept every promise".formatted(runs - failed, runs));
        return failed == 0 ? ExitCode.OK : ExitCode.FAILED;
    }

    private boolean run(long seed) {
        Consumer<String> reader = trace ? line -> out().println(line) : _ -> {};
        try {
            SimulationReport report = Simulation.run(scenario(seed), reader);
            out().println(report.text());
            return true;
        } catch (SimulationFailure failure) {
            out().println(failure.getMessage());
            return false;
        } finally {
            out().flush();
        }
    }

    private Scenario scenario(long seed) {
        boolean sized = workers != null || models != null || hours != null;
        if (sessions && sized) {
            throw new CommandFailure(
                    ExitCode.USAGE, "--sessions draws the size of its worlds from the seed.");
        }
        if (!sized) {
            return sessions ? Scenario.rough(seed) : Scenario.small(seed);
        }
        double length = hours == null ? 1 : hours;
        if (!(length > 0 && length <= MOST_HOURS)) {
            throw new CommandFailure(
                    ExitCode.USAGE, "--hours takes a number above 0, at most " + MOST_HOURS + ".");
        }
        try {
            return Scenario.sized(
                    seed, workers == null ? 100 : workers, models == null ? 5 : models, length);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCode.USAGE, "--" + e.getMessage());
        }
    }
}
