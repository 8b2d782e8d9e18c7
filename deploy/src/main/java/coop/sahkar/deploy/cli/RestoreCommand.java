package coop.sahkar.deploy.cli;

import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.Restore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar coordinator restore}. */
@Command(
        name = "restore",
        description = {
            "Make the data folder of a first coordinator from a backup.",
            "",
            "For when all coordinators are lost, or to try a copy of a pool. The old coordinators are not part of it: run this one with 'sahkar coordinator', and have others join. Workers that find it at the old address come back with what they hold.",
            ""
        },
        footer = {"", "Examples:", "  sahkar coordinator restore pool.backup --data /srv/new"})
final class RestoreCommand extends Subcommand {
    @Mixin private DataOptions data = new DataOptions();

    @Option(
            names = "--id",
            paramLabel = "NAME",
            defaultValue = "coordinator",
            description = "Names the coordinator. Default: ${DEFAULT-VALUE}.")
    private String id = "coordinator";

    @Parameters(paramLabel = "FILE", description = "As 'sahkar coordinator backup' wrote it.")
    private Path file = Path.of("");

    @Override
    public Integer call() {
        Path folder = data.folder("coordinator");
        try {
            Restore.into(folder, id, Files.readAllBytes(file));
        } catch (CoordinatorException e) {
            throw new CommandFailure(ExitCode.FAILED, e.getMessage() + ".", e);
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "%s cannot be read: %s.".formatted(file, e.getMessage()), e);
        }
        out().println(
                        "Restored to %s; 'sahkar coordinator' with the same --data runs it"
                                .formatted(folder));
        out().flush();
        return ExitCode.OK;
    }
}
