package coop.sahkar.deploy.cli;

import coop.sahkar.client.InferenceException;
import java.util.List;

/** How the command ends, for scripts. */
public final class ExitCode {
    public static final int OK = 0;

    /** It was tried and failed. */
    public static final int FAILED = 1;

    /** The command line, or the settings, are wrong. */
    public static final int USAGE = 2;

    /** No coordinator answers. */
    public static final int UNREACHABLE = 3;

    /** No worker holds some blocks of the model. */
    public static final int MODEL_INCOMPLETE = 4;

    /** No such model is published. */
    public static final int MODEL_NOT_FOUND = 5;

    /** There is no room now; try again later. */
    public static final int OVERLOADED = 6;

    /** A coordinator's log cannot be written, for example because its disk is full. */
    public static final int LOG_FAILED = 7;

    /** Ended by Ctrl-C; the JVM's own code for it. */
    public static final int INTERRUPTED = 130;

    /** As {@code --help} lists them. */
    static final List<String> DESCRIPTIONS =
            List.of(
                    " 0:done",
                    " 1:tried and failed; the sentence on stderr says why",
                    " 2:the command line or a setting is wrong",
                    " 3:no coordinator answers",
                    " 4:no worker holds some blocks of the model",
                    " 5:no such model is published",
                    " 6:no room now; try again later",
                    " 7:the coordinator's log cannot be written, for example on a full disk",
                    "130:ended by Ctrl-C");

    private ExitCode() {}

    static int of(InferenceException failure) {
        return switch (failure) {
            case InferenceException.Unreachable _ -> UNREACHABLE;
            case InferenceException.ModelIncomplete _ -> MODEL_INCOMPLETE;
            case InferenceException.ModelNotFound _ -> MODEL_NOT_FOUND;
            case InferenceException.Overloaded _ -> OVERLOADED;
            case InferenceException.Cancelled _ -> INTERRUPTED;
            case InferenceException.InvalidRequest _,
                    InferenceException.ContextLengthExceeded _,
                    InferenceException.Lost _,
                    InferenceException.DeadlineExceeded _,
                    InferenceException.Unauthorized _,
                    InferenceException.PoolFault _ ->
                    FAILED;
        };
    }
}
