package coop.sahkar.proto;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The right to open one session along one route. Coordinators sign it, workers check it; it is all
 * a worker needs to know of a session.
 *
 * @param session the session
 * @param epoch number of its route, from 1; a repair makes the next one
 * @param modelId {@code name@digest}
 * @param blockCount blocks of the model
 * @param stages the route, in order
 * @param account whom the session is for, as a mark that only the coordinator can read; empty for
 *     nobody in particular
 * @param maxPositions most positions, prompt and answer together
 * @param expiresAtMillis Unix time after which no stage lets the session in
 * @param generation the placement that the route was drawn from
 */
public record Ticket(
        SessionId session,
        int epoch,
        String modelId,
        int blockCount,
        List<RouteStage> stages,
        String account,
        int maxPositions,
        long expiresAtMillis,
        long generation) {

    /**
     * Checks the ticket's shape.
     *
     * @throws IllegalArgumentException in a sentence, if the spans do not cover the model exactly
     *     once, a worker stands twice in the route, or a number is out of its bounds
     */
    public Ticket {
        stages = List.copyOf(stages);
        require(epoch >= 1, "a ticket's epoch starts at 1");
        require(blockCount >= 1 && blockCount <= Limits.MAX_BLOCKS, "a ticket's block count");
        require(maxPositions >= 1 && maxPositions <= Limits.MAX_POSITIONS, "a ticket's positions");
        require(!stages.isEmpty() && stages.size() <= Limits.MAX_STAGES, "a ticket's stage count");
        Set<String> workers = new HashSet<>();
        int next = 0;
        for (RouteStage stage : stages) {
            require(stage.span().first() == next, "a route's spans must follow each other");
            require(workers.add(stage.workerId()), "a worker stands twice in a route");
            next = stage.span().end();
        }
        require(next == blockCount, "a route must cover all blocks");
    }

    public RouteStage head() {
        return stages.getFirst();
    }

    public RouteStage tail() {
        return stages.getLast();
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalArgumentException("not a valid session ticket: " + what);
        }
    }
}
