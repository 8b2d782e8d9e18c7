package coop.sahkar.client;

import coop.sahkar.proto.RouteStage;
import java.util.List;

/**
 * Who answers: known as soon as a provider is at work.
 *
 * @param requestId names the request in the provider's logs; empty when it gives no name
 * @param modelId the model that answers, as the provider names it; the pool says {@code
 *     name@digest}
 * @param promptTokens tokens of the prompt; 0 when they are told at the end only
 * @param route the pool's workers that serve it, in order; empty at other providers
 */
public record Answering(
        String requestId, String modelId, int promptTokens, List<RouteStage> route) {
    public Answering {
        route = List.copyOf(route);
    }
}
