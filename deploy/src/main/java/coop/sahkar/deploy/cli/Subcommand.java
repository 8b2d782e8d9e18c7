package coop.sahkar.deploy.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What every command takes and has. */
@Command
abstract class Subcommand implements Callable<Integer> {
    @Spec private CommandSpec spec = CommandSpec.create();

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    @SuppressWarnings("UnusedVariable") // picocli looks at it
    private boolean help;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "Read settings from this file instead of ~/.config/sahkar/config.properties.")
    @SuppressWarnings("UnusedVariable") // Settings has read it before the options are parsed
    private @Nullable Path config;

    @Option(
            names = {"-v", "--verbose"},
            description = "Say more on stderr: -v what happens, -vv everything.")
    void verbose(boolean[] times) {
        Logging.verbosity(times.length);
    }

    /** Where results go. */
    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    /** Where everything else goes; a line at a time. */
    void note(String line) {
        spec.commandLine().getErr().println(line);
        spec.commandLine().getErr().flush();
    }
}
