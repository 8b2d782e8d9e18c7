package coop.sahkar.deploy.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a command keeps what must last. */
final class DataOptions {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = {
                "Keep data under this folder. Default: ~/.local/share/sahkar.",
                "Each coordinator and each worker on one machine needs a folder of its own below it;"
                        + " that of a second worker is another --data."
            })
    private @Nullable Path data;

    /** Where the folder for {@code part} is, or would be. */
    Path place(String part) {
        Path base = data == null ? Folders.data(System.getenv()) : data;
        return base.resolve(part).toAbsolutePath();
    }

    /** The folder for {@code part}, made if absent. */
    Path folder(String part) {
        Path folder = place(part);
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "The data folder %s cannot be made (%s); choose another with --data."
                            .formatted(folder, e.getMessage()),
                    e);
        }
    }
}
