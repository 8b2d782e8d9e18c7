package coop.sahkar.deploy.cli;

import coop.sahkar.worker.agent.WorkerException;
import coop.sahkar.worker.agent.WorkerIdentity;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sahkar drain}. */
@Command(
        name = "drain",
        description = {
            "Have the worker of this machine hand over what runs on it, and leave.",
            "",
            "The same as Ctrl-C in its terminal: whoever reads an answer that flows through it gets it to the end. Returns when it has left.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar drain",
            "  sahkar drain --data /srv/second-worker",
            "",
            "What comes next: 'sahkar worker' brings it back; what it fetched is still there."
        })
final class DrainCommand extends Subcommand {
    @Mixin private DataOptions data = new DataOptions();

    @Option(
            names = "--no-wait",
            description = "Tell it and return, without waiting until it has left.")
    private boolean noWait;

    @Override
    public Integer call() throws InterruptedException {
        Path folder = data.folder("worker");
        ProcessHandle worker =
                runningIn(folder)
                        .flatMap(ProcessHandle::of)
                        .orElseThrow(() ->
                                new CommandFailure(
                                        ExitCode.FAILED,
                                        "No worker runs on the data folder %s; --data names another."
                                                .formatted(folder)));
        if (!worker.supportsNormalTermination()) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "This system cannot ask process %d to leave; press Ctrl-C in its terminal."
                            .formatted(worker.pid()));
        }
        if (!worker.destroy()) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "Process %d could not be told; is it another user's?".formatted(worker.pid()));
        }
        if (noWait) {
            note("The worker (process %d) is leaving".formatted(worker.pid()));
            return ExitCode.OK;
        }
        note("The worker (process %d) hands over what runs on it".formatted(worker.pid()));
        awaitEnd(worker);
        note("It has left");
        return ExitCode.OK;
    }

    private static Optional<Long> runningIn(Path folder) {
        try {
            return WorkerIdentity.holder(folder);
        } catch (WorkerException e) {
            throw new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
    }

    private static void awaitEnd(ProcessHandle worker) throws InterruptedException {
        try {
            worker.onExit().get();
        } catch (ExecutionException | CancellationException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "Whether it has left cannot be seen: " + e.getMessage(), e);
        }
    }
}
