package coop.sahkar.deploy.cli;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Options that are not on the command line: from the environment ({@code SAHKAR_WORKER_MEMORY},
 * {@code SAHKAR_MEMORY}), else from the settings file ({@code worker.memory}, {@code memory}), else
 * built in. The name with the command goes before the one without.
 */
final class Settings implements IDefaultValueProvider {
    private static final Set<String> NOT_SETTINGS = Set.of("help", "version", "config");

    private final Map<String, String> environment;
    private final Properties file;

    Settings(Map<String, String> environment, Properties file) {
        this.environment = environment;
        this.file = file;
    }

    /**
     * Reads the settings file: the one after {@code --config}, else the one {@code SAHKAR_CONFIG}
     * names, else {@code ~/.config/sahkar/config.properties} if it is there.
     *
     * @throws CommandFailure if a named file cannot be read
     */
    static Settings read(String[] args, Map<String, String> environment) {
        Optional<Path> named = named(args, environment);
        Path path = named.orElse(Folders.config(environment).resolve("config.properties"));
        Properties properties = new Properties();
        if (named.isPresent() || Files.exists(path)) {
            try (Reader reader = Files.newBufferedReader(path)) {
                properties.load(reader);
            } catch (IOException | IllegalArgumentException e) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "The settings file %s cannot be read (%s); lines are 'option=value'."
                                .formatted(path, e.getMessage()),
                        e);
            }
        }
        return new Settings(environment, properties);
    }

    /**
     * Checks that the file sets nothing that no command knows.
     *
     * @throws CommandFailure which names what is unknown
     */
    void refuseUnknown(CommandLine root) {
        Set<String> known = new TreeSet<>();
        for (CommandLine command : root.getSubcommands().values()) {
            for (OptionSpec option : command.getCommandSpec().options()) {
                known.add(name(option));
                known.add(command.getCommandName() + "." + name(option));
            }
        }
        for (String key : new TreeSet<>(file.stringPropertyNames())) {
            if (!known.contains(key)) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "The settings file sets '%s', which is no option; write an option's long name, alone or after a command: 'memory=8G' or 'worker.memory=8G'."
                                .formatted(key));
            }
        }
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        if (!(argument instanceof OptionSpec option) || NOT_SETTINGS.contains(name(option))) {
            return null;
        }
        CommandSpec command = option.command();
        String name = name(option);
        String specific = command == null ? name : command.name() + "." + name;
        for (String key : new String[] {variable(specific), variable(name)}) {
            if (environment.containsKey(key)) {
                return environment.get(key);
            }
        }
        return file.getProperty(specific, file.getProperty(name));
    }

    private static String name(OptionSpec option) {
        return option.longestName().replaceFirst("^-+", "");
    }

    private static String variable(String key) {
        return "SAHKAR_" + key.toUpperCase(Locale.ROOT).replace('-', '_').replace('.', '_');
    }

    private static Optional<Path> named(String[] args, Map<String, String> environment) {
        for (int i = 0; i < args.length; i++) {
            if (args[i].startsWith("--config=")) {
                return Optional.of(Path.of(args[i].substring("--config=".length())));
            }
            if (args[i].equals("--config") && i + 1 < args.length) {
                return Optional.of(Path.of(args[i + 1]));
            }
        }
        return Optional.ofNullable(environment.get("SAHKAR_CONFIG")).map(Path::of);
    }

    @Override
    public String toString() {
        return "settings " + Arrays.toString(file.stringPropertyNames().toArray());
    }
}
