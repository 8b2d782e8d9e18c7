package coop.sahkar.deploy.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code sahkar} command. */
@Command(
        name = "sahkar",
        synopsisSubcommandLabel = "COMMAND",
        description = {
            "Free, cooperative inference of large language models.",
            "",
            "People who have a computer to spare run workers; each holds some layers of a model,"
                    + " and an answer flows through all of them.",
            ""
        },
        footer = {
            "",
            "To see it work on this machine alone:",
            "  sahkar demo \"What is a worker?\"",
            "",
            "To run a pool, each in a terminal of its own:",
            "  sahkar coordinator",
            "  sahkar worker",
            "  sahkar publish MODEL.gguf",
            "  sahkar chat",
            "",
            "Every option can also be set in the environment (SAHKAR_WORKER_MEMORY=8G, or",
            "SAHKAR_MEMORY=8G for every command that has it) or in a file of lines such as",
            "worker.memory=8G: ~/.config/sahkar/config.properties, or --config FILE. The",
            "command line goes before the environment, the environment before the file."
        },
        subcommands = {
            DemoCommand.class,
            CoordinatorCommand.class,
            WorkerCommand.class,
            DrainCommand.class,
            IdentityCommand.class,
            PublishCommand.class,
            ModelsCommand.class,
            ChatCommand.class,
            CompleteCommand.class,
            ProvidersCommand.class,
            StatusCommand.class,
            KeysCommand.class,
            PolicyCommand.class,
            UsageCommand.class,
            LedgerCommand.class,
            BenchCommand.class,
            FaultsCommand.class,
            SimulateCommand.class,
            VersionCommand.class,
            HelpCommand.class
        })
public final class Sahkar implements Runnable {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    @SuppressWarnings("UnusedVariable") // picocli looks at it
    private boolean help;

    @Spec private CommandSpec spec;

    private Sahkar(CommandSpec spec) {
        this.spec = spec;
    }

    /** Starts as {@code main} does, but returns the exit code. */
    static int run(String[] args, Map<String, String> environment) {
        Logging.verbosity(0);
        CommandLine command = new CommandLine(new Sahkar(CommandSpec.create()));
        prepare(command);
        Failures failures = new Failures();
        command.setExecutionExceptionHandler(failures);
        command.setParameterExceptionHandler(failures);
        try {
            Settings settings = Settings.read(args, environment);
            settings.refuseUnknown(command);
            command.setDefaultValueProvider(settings);
        } catch (CommandFailure wrong) {
            command.getErr().println("sahkar: " + wrong.getMessage());
            command.getErr().flush();
            return wrong.exitCode();
        }
        try {
            return command.execute(args);
        } catch (Error broken) { // picocli hands on exceptions only
            return failures.report(broken, command.getErr());
        }
    }

    public static void main(String[] args) {
        System.exit(run(args, System.getenv()));
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "Say what to do; 'sahkar --help' lists the commands.");
    }

    private static void prepare(CommandLine command) {
        command.setUsageHelpAutoWidth(true);
        command.setUsageHelpLongOptionsMaxWidth(32);
        command.setCaseInsensitiveEnumValuesAllowed(true);
        command.setAbbreviatedOptionsAllowed(false);
        listExitCodes(command);
    }

    private static void listExitCodes(CommandLine command) {
        command.getCommandSpec()
                .usageMessage()
                .exitCodeListHeading("%nExit codes:%n")
                .exitCodeList(exitCodes());
        command.getSubcommands().values().forEach(Sahkar::listExitCodes);
    }

    private static Map<String, String> exitCodes() {
        Map<String, String> codes = new LinkedHashMap<>();
        for (String line : ExitCode.DESCRIPTIONS) {
            int colon = line.indexOf(':');
            codes.put(line.substring(0, colon), line.substring(colon + 1));
        }
        return codes;
    }
}
