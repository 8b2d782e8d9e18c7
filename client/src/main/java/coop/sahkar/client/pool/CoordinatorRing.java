package coop.sahkar.client.pool;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The coordinators a client knows: those it was told, and those that they name. The one that
 * answered last is asked first. Thread-safe.
 */
final class CoordinatorRing {
    private static final System.Logger LOG = System.getLogger(CoordinatorRing.class.getName());
    private static final int MOST = 32;

    private final Function<CoordinatorAddress, CoordinatorChannel> dial;
    private final List<CoordinatorChannel> coordinators; // guarded by this
    private int preferred; // guarded by this
    private boolean closed; // guarded by this

    /**
     * @param dial prepares a connection
     */
    CoordinatorRing(
            List<CoordinatorAddress> coordinators,
            Function<CoordinatorAddress, CoordinatorChannel> dial) {
        this.dial = dial;
        this.coordinators = new ArrayList<>(coordinators.stream().map(dial).toList());
    }

    /** Every coordinator once, the preferred one first. */
    synchronized List<CoordinatorChannel> inOrder() {
        List<CoordinatorChannel> order = new ArrayList<>(coordinators.size());
        for (int i = 0; i < coordinators.size(); i++) {
            order.add(coordinators.get((preferred + i) % coordinators.size()));
        }
        return order;
    }

    synchronized void prefer(CoordinatorChannel coordinator) {
        preferred = Math.max(0, coordinators.indexOf(coordinator));
    }

    /** A coordinator names all of the pool; those not known yet are asked when the others fail. */
    synchronized void learn(List<String> addresses) {
        for (String address : addresses) {
            try {
                CoordinatorAddress at = CoordinatorAddress.parse(address);
                boolean known = coordinators.stream().anyMatch(c -> c.address().equals(at));
                if (!known && !closed && coordinators.size() < MOST) {
                    coordinators.add(dial.apply(at));
                }
            } catch (IllegalArgumentException e) {
                LOG.log(System.Logger.Level.DEBUG, "an address that is none", e);
            }
        }
    }

    synchronized void close() {
        closed = true;
        coordinators.forEach(CoordinatorChannel::close);
    }

    static Failure unreachable(List<String> tried, Status status) {
        return Failure.of(
                FailureKind.NETWORK,
                "No coordinator answers at %s; check the address, that one is running (sahkar coordinator), and that its certificate is named if it speaks encrypted."
                        .formatted(String.join(", ", tried)),
                status.asException());
    }
}
