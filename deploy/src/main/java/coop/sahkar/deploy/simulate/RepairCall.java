package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.routing.Prospect;
import coop.sahkar.coordinator.routing.RepairWish;
import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.worker.head.Reroute;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** A head's question for another route: one coordinator after the other, until one has a word. */
final class RepairCall {
    private static final long ANSWER_MILLIS = 1_500;

    private final VirtualWorker worker;
    private final SealedTicket newest;
    private final Set<String> lost;
    private final Consumer<Reroute> answer;
    private final Iterator<ControlPath> left;

    RepairCall(
            VirtualWorker worker, SealedTicket newest, Set<String> lost, Consumer<Reroute> answer) {
        this.worker = worker;
        this.newest = newest;
        this.lost = lost;
        this.answer = answer;
        this.left = worker.paths().iterator();
    }

    void askNext() {
        if (!left.hasNext()) {
            none(Problem.of(Problem.Kind.NOT_LEADER, "No coordinator is reached."));
            return;
        }
        ControlPath path = left.next();
        if (!path.passes()) {
            worker.later(ANSWER_MILLIS, this::askNext);
        } else {
            worker.later(path.latencyMillis(), () -> arrived(path));
        }
    }

    private void arrived(ControlPath path) {
        VirtualCoordinator coordinator = path.coordinator;
        if (!coordinator.up()) {
            worker.later(path.latencyMillis(), this::askNext);
            return;
        }
        int epoch = newest.ticket().epoch() + 1;
        RepairWish wish = new RepairWish(newest.ticket(), lost, epoch, RepairWish.Head.STAYS);
        RouteAnswer found = coordinator.repairs().repair(wish);
        if (path.passes()) {
            worker.later(path.latencyMillis(), () -> answered(found));
        } else {
            worker.later(ANSWER_MILLIS, this::askNext);
        }
    }

    private void answered(RouteAnswer found) {
        switch (found) {
            case RouteAnswer.Found(var route) -> {
                SealedTicket next = route.ticket();
                Optional<Problem> denied = worker.ring().admitHead(next.ticket());
                if (denied.isPresent()) {
                    none(denied.get());
                } else {
                    answer.accept(new Reroute.Found(next));
                }
            }
            case RouteAnswer.None(Problem problem, Prospect prospect) -> {
                if (prospect == Prospect.ANOTHER_HEAD) {
                    answer.accept(new Reroute.AnotherHead(problem));
                } else if (problem.kind().retryable()) {
                    none(problem);
                } else {
                    answer.accept(new Reroute.Never(problem));
                }
            }
        }
    }

    private void none(Problem problem) {
        answer.accept(new Reroute.NoneNow(problem));
    }
}
