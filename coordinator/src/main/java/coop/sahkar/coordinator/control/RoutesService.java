package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.routing.Prospect;
import coop.sahkar.coordinator.routing.RepairDesk;
import coop.sahkar.coordinator.routing.RepairWish;
import coop.sahkar.coordinator.routing.Repairs;
import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.RepairReply;
import coop.sahkar.proto.v1.RepairRequest;
import coop.sahkar.proto.v1.RoutesGrpc;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives heads the next routes of their sessions. The ticket proves that the session is one of this
 * pool; so any coordinator can do it, and none keeps anything for it.
 */
public final class RoutesService extends RoutesGrpc.RoutesImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(RoutesService.class);

    private final KnownTickets tickets;
    private final RepairDesk repairs;
    private final Repairs log;

    /**
     * @param log is told of every repair
     */
    public RoutesService(KnownTickets tickets, RepairDesk repairs, Repairs log) {
        this.tickets = tickets;
        this.repairs = repairs;
        this.log = log;
    }

    @Override
    public void repair(RepairRequest request, StreamObserver<RepairReply> out) {
        out.onNext(reply(request));
        out.onCompleted();
    }

    private RepairReply reply(RepairRequest request) {
        return switch (tickets.open(request.getCurrent())) {
            case Tickets.Refused refused -> refused(refused.problem());
            case Tickets.Valid(SealedTicket sealed) -> next(request, sealed.ticket());
            case Tickets.Expired expired -> refused(expired.problem());
        };
    }

    private RepairReply next(RepairRequest request, Ticket current) {
        if (request.getLostWorkersCount() > Limits.MAX_STAGES) {
            return refused(
                    Problem.inField(
                            "lost_workers",
                            "%d lost workers are named; at most %d may be."
                                    .formatted(request.getLostWorkersCount(), Limits.MAX_STAGES)));
        }
        if (log.superseded(current.session(), current.epoch() + 1)) {
            // A head that was given up and does not know: what it misses tells nothing of others.
            return refused(
                    Problem.of(Problem.Kind.CANCELLED, "Another head has taken the session over."));
        }
        Set<String> lost = new TreeSet<>(request.getLostWorkersList());
        Problem why = Wire.fromWire(request.getWhy());
        LOG.info("session {}: a route without {} ({})", current.session(), lost, why.kind());
        int epoch = current.epoch() + 1;
        log.begun(current.session(), current.modelId(), epoch, List.copyOf(lost), why.message());
        return switch (repairs.repair(
                new RepairWish(current, lost, epoch, RepairWish.Head.STAYS))) {
            case RouteAnswer.Found(var route) ->
                    RepairReply.newBuilder().setNext(Tickets.toWire(route.ticket())).build();
            case RouteAnswer.None(Problem problem, Prospect prospect) -> {
                log.noRoute(current.session(), epoch, problem.message());
                yield RepairReply.newBuilder()
                        .setRefused(Wire.toWire(problem))
                        .setAnotherHead(prospect == Prospect.ANOTHER_HEAD)
                        .build();
            }
        };
    }

    private static RepairReply refused(Problem problem) {
        return RepairReply.newBuilder().setRefused(Wire.toWire(problem)).build();
    }
}
