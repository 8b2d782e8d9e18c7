package coop.sahkar.coordinator.usage;

import coop.sahkar.proto.RouteStage;
import java.util.List;

/**
 * Tokens that were delivered along one route.
 *
 * @param account the payer's account of the ledger
 * @param modelId {@code name@digest}
 * @param blockCount blocks that each token went through
 * @param epoch number of the route in its session
 * @param stages who did the work; none where no coordinator's signature says who
 * @param promptTokens tokens of the prompt, as the coordinator reckons them
 * @param answerTokens tokens of the answer that passed through the coordinator
 */
public record Use(
        String account,
        String modelId,
        int blockCount,
        int epoch,
        List<RouteStage> stages,
        long promptTokens,
        long answerTokens) {
    public Use {
        stages = List.copyOf(stages);
    }
}
