package coop.sahkar.client;

import coop.sahkar.proto.RouteStage;
import java.util.List;

/**
 * Who answers: known as soon as a route is found.
 *
 * @param requestId names the request in the pool's logs
 * @param modelId {@code name@digest} of the model that answers
 * @param promptTokens tokens of the prompt
 * @param route the workers that serve it, in order
 */
public record Answering(
        String requestId, String modelId, int promptTokens, List<RouteStage> route) {
    public Answering {
        route = List.copyOf(route);
    }
}
