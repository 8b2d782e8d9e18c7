package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.deploy.terminal.Progress;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.ModelCoverage;
import coop.sahkar.proto.v1.PoolStatus;
import coop.sahkar.proto.v1.SpanMessage;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Waits for the blocks of a model to be served, and shows how many are. */
final class ModelWatch {
    private static final int POLL_MILLIS = 250;

    /** Without progress for this long, the bar says what is missing. */
    private static final int QUIET_SECONDS = 5;

    private ModelWatch() {}

    /**
     * Waits until workers serve every block. Goes on waiting when the coordinator is away for a
     * while.
     *
     * @throws CommandFailure if the model is withdrawn meanwhile
     */
    static void untilServed(
            List<CoordinatorAddress> coordinators, Transport transport, String modelId)
            throws InterruptedException {
        try (Progress bar = Progress.of("Blocks served by workers", 1)) {
            String said = "";
            int polls = 0;
            while (true) {
                Optional<ModelCoverage> found = coverage(coordinators, transport, modelId);
                if (found.isPresent()) {
                    ModelCoverage model = found.get();
                    int missing = missing(model);
                    bar.at(model.getBlockCount() - missing, model.getBlockCount());
                    if (missing == 0) {
                        return;
                    }
                    polls++;
                    boolean quiet = polls * POLL_MILLIS >= QUIET_SECONDS * 1000;
                    if (quiet && !model.getExplanation().equals(said)) {
                        said = model.getExplanation();
                        bar.remark(said);
                    }
                }
                TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
            }
        }
    }

    private static Optional<ModelCoverage> coverage(
            List<CoordinatorAddress> coordinators, Transport transport, String modelId) {
        PoolStatus status;
        try {
            status = PoolCalls.status(coordinators, transport);
        } catch (CommandFailure away) {
            return Optional.empty();
        }
        Optional<ModelCoverage> found =
                status.getModelsList().stream()
                        .filter(model -> model.getModelId().equals(modelId))
                        .findFirst();
        if (found.isEmpty()) {
            throw new CommandFailure(
                    ExitCode.MODEL_NOT_FOUND, modelId + " was withdrawn from the pool.");
        }
        return found;
    }

    private static int missing(ModelCoverage model) {
        return model.getMissingList().stream().mapToInt(ModelWatch::length).sum();
    }

    private static int length(SpanMessage span) {
        return span.getEnd() - span.getFirst();
    }
}
