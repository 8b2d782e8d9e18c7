package coop.sahkar.coordinator.relay;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Ticket;
import java.util.List;
import java.util.Optional;

/**
 * Who may be connected to whom: two workers of one session, a worker with one it is told to fetch
 * tensors from, and nobody else. Pure.
 *
 * <p>The ticket is checked when a connection begins. Later sessions of the same two workers share
 * it, as they share a direct link; what is said on it the called worker checks against the tickets
 * of its sessions, message by message.
 */
public final class RelayRules {
    private RelayRules() {}

    /**
     * Why a worker may not call another.
     *
     * @param ticket genuine and in time
     */
    public static Optional<Problem> call(String caller, String target, Ticket ticket) {
        List<String> route = ticket.stages().stream().map(RouteStage::workerId).toList();
        if (caller.equals(target)) {
            return Optional.of(
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            "Worker %s asks to be connected with itself."
                                    .formatted(shown(caller))));
        }
        if (!route.contains(caller) || !route.contains(target)) {
            return Optional.of(
                    Problem.of(
                            Problem.Kind.UNAUTHORIZED,
                            ("The ticket does not name both worker %s and worker %s; the relay connects "
                                            + "workers of one session only.")
                                    .formatted(shown(caller), shown(target))));
        }
        return Optional.empty();
    }

    /**
     * Why a worker without a ticket may not call another.
     *
     * @param fetches whether the placement has it fetch tensors from there
     */
    public static Optional<Problem> callWithoutTicket(
            String caller, String target, boolean fetches) {
        return fetches
                ? Optional.empty()
                : Optional.of(
                        Problem.of(
                                Problem.Kind.UNAUTHORIZED,
                                ("Worker %s shows no ticket, and has nothing to fetch from worker %s "
                                                + "through this relay.")
                                        .formatted(shown(caller), shown(target))));
    }

    static Problem notRelayed(String target) {
        return Problem.of(
                Problem.Kind.WORKER_LOST,
                "Worker %s is not reached through this coordinator now; ask for a new route."
                        .formatted(shown(target)));
    }

    static Problem busy(String target, int tunnels) {
        return Problem.of(
                Problem.Kind.OVERLOADED,
                "Worker %s has %d relayed connections, as many as one may have; try again later."
                        .formatted(shown(target), tunnels));
    }

    private static String shown(String id) {
        return id.substring(0, Math.min(64, id.length()));
    }
}
