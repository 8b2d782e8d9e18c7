package coop.sahkar.deploy.cli;

import java.nio.file.Path;
import java.util.Optional;

/** Where the distribution that this program runs from was unpacked; its launcher tells. */
final class Home {
    private Home() {}

    static Path folder() {
        return Optional.ofNullable(System.getProperty("sahkar.home"))
                .map(Path::of)
                .orElseThrow(() ->
                        new CommandFailure(
                                ExitCode.FAILED,
                                "This command starts workers through bin/sahkar; start it the same way."));
    }

    /** What starts a sahkar command in a process of its own. */
    static Path launcher() {
        return folder().resolve("bin/sahkar");
    }
}
