package coop.sahkar.deploy.cli;

import coop.sahkar.client.InferenceException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** One sentence for whatever goes wrong; a stack trace only for those who ask with {@code -vv}. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {

    @Override
    public int handleExecutionException(
            Exception failure, CommandLine command, ParseResult parsed) {
        return report(failure, command.getErr());
    }

    /** Says what went wrong and returns the exit code for it. */
    int report(Throwable failure, PrintWriter err) {
        err.println("sahkar: " + sentence(failure));
        if (Logging.stackTraces()) {
            failure.printStackTrace(err);
        }
        err.flush();
        return exitCode(failure);
    }

    @Override
    public int handleParseException(ParameterException failure, String[] args) {
        CommandLine command = failure.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("sahkar: " + failure.getMessage());
        if (!CommandLine.UnmatchedArgumentException.printSuggestions(failure, err)) {
            err.println("Try '%s --help'.".formatted(command.getCommandSpec().qualifiedName(" ")));
        }
        err.flush();
        return ExitCode.USAGE;
    }

    private static int exitCode(Throwable failure) {
        return switch (failure) {
            case CommandFailure known -> known.exitCode();
            case InferenceException known -> ExitCode.of(known);
            case StatusRuntimeException known
                    when known.getStatus().getCode() == Status.Code.UNAVAILABLE ->
                    ExitCode.UNREACHABLE;
            default -> ExitCode.FAILED;
        };
    }

    private static String sentence(Throwable failure) {
        String message =
                switch (failure) {
                    case StatusRuntimeException call -> call.getStatus().getDescription();
                    case Error broken -> "A fault in Sahkar or its installation: " + broken;
                    default -> failure.getMessage();
                };
        return message == null || message.isBlank()
                ? failure.getClass().getSimpleName() + "; run again with -vv to see where"
                : message;
    }
}
