package coop.sahkar.client.pool;

import coop.sahkar.client.provider.Failure;
import coop.sahkar.client.provider.FailureKind;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The coordinators a client knows; the one that answered last is asked first. */
final class CoordinatorRing {
    private final List<CoordinatorChannel> coordinators;
    private final AtomicInteger preferred = new AtomicInteger();

    CoordinatorRing(List<CoordinatorChannel> coordinators) {
        this.coordinators = List.copyOf(coordinators);
    }

    /** Every coordinator once, the preferred one first. */
    List<CoordinatorChannel> inOrder() {
        int first = preferred.get();
        List<CoordinatorChannel> order = new ArrayList<>(coordinators.size());
        for (int i = 0; i < coordinators.size(); i++) {
            order.add(coordinators.get((first + i) % coordinators.size()));
        }
        return order;
    }

    void prefer(CoordinatorChannel coordinator) {
        preferred.set(coordinators.indexOf(coordinator));
    }

    void close() {
        coordinators.forEach(CoordinatorChannel::close);
    }

    static Failure unreachable(List<String> tried, Status status) {
        return Failure.of(
                FailureKind.NETWORK,
                "No coordinator answers at %s; check the address, and that one is running (sahkar coordinator)."
                        .formatted(String.join(", ", tried)),
                status.asException());
    }
}
