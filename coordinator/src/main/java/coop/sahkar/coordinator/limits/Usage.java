package coop.sahkar.coordinator.limits;

import coop.sahkar.proto.RouteStage;
import java.util.List;

/**
 * What a request came to, as its coordinator counted it.
 *
 * @param id names the request for ever
 * @param account an account's id, or the network address of a caller without a key
 * @param keyed whether it is an account of the pool
 * @param modelId {@code name@digest}; empty if no worker was reached
 * @param promptTokens counted once, however many answers there are
 * @param completionTokens of all answers, as far as they got
 * @param stages who computed it, head first: of its last route; empty if no worker was reached
 * @param finished whether every answer came to its end
 */
public record Usage(
        String id,
        String account,
        boolean keyed,
        String modelId,
        long promptTokens,
        long completionTokens,
        List<RouteStage> stages,
        boolean finished) {
    public Usage {
        stages = List.copyOf(stages);
    }
}
