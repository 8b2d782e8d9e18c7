package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Ticket;
import java.util.Set;

/**
 * What the next route of a running session is wanted for.
 *
 * @param current the session's newest route
 * @param lost ids of workers not to use
 * @param epoch number of the route to draw, greater than that of {@code current}
 * @param head what may become of a head that is not lost
 */
public record RepairWish(Ticket current, Set<String> lost, int epoch, Head head) {
    /** What may become of the head. */
    public enum Head {
        /** It stays: it asks, and drives the session. */
        STAYS,
        /** Another may have the session, where no route keeps this one. */
        MAY_GO,
        /** It found no route for itself: its worker is used only where there is no other route. */
        SHOULD_GO
    }

    public RepairWish {
        lost = Set.copyOf(lost);
    }
}
