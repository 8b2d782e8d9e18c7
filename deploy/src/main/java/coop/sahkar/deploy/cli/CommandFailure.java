package coop.sahkar.deploy.cli;

import org.jspecify.annotations.Nullable;

/** Ends the command with a sentence on stderr and an exit code. */
public final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int exitCode;

    public CommandFailure(int exitCode, String sentence) {
        this(exitCode, sentence, null);
    }

    public CommandFailure(int exitCode, String sentence, @Nullable Throwable cause) {
        super(sentence, cause);
        this.exitCode = exitCode;
    }

    public int exitCode() {
        return exitCode;
    }
}
