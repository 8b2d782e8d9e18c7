package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.head.Reroute;
import coop.sahkar.worker.head.Rerouting;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A coordinator for simulated rings: keeps the stages that are good and replaces the others by any
 * worker with the same blocks. It knows who was killed or leaves, not who is stopped.
 */
final class SpareRouting implements Rerouting {
    private final RingSimulation ring;
    private final Random random;
    int asked;

    /** Workers that take nothing new. */
    final Set<String> leaving = new LinkedHashSet<>();

    SpareRouting(RingSimulation ring, Random random) {
        this.ring = ring;
        this.random = random;
    }

    /** Puts {@code replicas} more workers beside each stage of a route: w1 gets w1a, w1b, … */
    static List<RouteStage> spares(List<RouteStage> route, int replicas) {
        List<RouteStage> spares = new ArrayList<>();
        for (RouteStage stage : route) {
            for (int i = 0; i < replicas; i++) {
                String id = stage.workerId() + (char) ('a' + i);
                spares.add(new RouteStage(id, id + ":1", stage.span()));
            }
        }
        return spares;
    }

    @Override
    public void ask(SealedTicket newest, Set<String> lost, Problem why, Consumer<Reroute> answer) {
        asked++;
        int epoch = newest.ticket().epoch() + 1;
        answer.accept(
                next(newest.ticket(), lost, epoch)
                        .<Reroute>map(Reroute.Found::new)
                        .orElseGet(() -> new Reroute.NoneNow(why)));
    }

    /** The next route; empty when a lost stage has no spare. */
    Optional<SealedTicket> next(Ticket current, Set<String> lost, int epoch) {
        List<RouteStage> stages = new ArrayList<>();
        for (RouteStage stage : current.stages()) {
            boolean good = !lost.contains(stage.workerId()) && ring.alive(stage.workerId());
            List<RouteStage> choice = good ? List.of(stage) : candidates(stage, lost);
            if (choice.isEmpty()) {
                return Optional.empty();
            }
            stages.add(choice.get(random.nextInt(choice.size())));
        }
        return Optional.of(
                Routes.ticket(
                        current.session().low(),
                        epoch,
                        stages,
                        current.maxPositions(),
                        current.account()));
    }

    private List<RouteStage> candidates(RouteStage lostStage, Set<String> lost) {
        return ring.workers.values().stream()
                .map(worker -> worker.place)
                .filter(place -> place.span().equals(lostStage.span()))
                .filter(place -> !lost.contains(place.workerId()))
                .filter(place -> ring.alive(place.workerId()))
                .filter(place -> !leaving.contains(place.workerId()))
                .toList();
    }
}
