package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.Rerouted;
import coop.sahkar.proto.v1.Resume;
import coop.sahkar.proto.v1.ResumePoint;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What lets a reader go on through another coordinator: written into events, and checked. */
final class ResumePoints {
    private ResumePoints() {}

    static ResumePoint of(SealedTicket ticket, int turn, long askedAtMillis) {
        return ResumePoint.newBuilder()
                .setTicket(Tickets.toWire(ticket))
                .setTurn(turn)
                .setAskedAtMillis(askedAtMillis)
                .build();
    }

    /** The head's word, with how to go on without this coordinator. */
    static GenerationEvent started(
            GenerationEvent event, @Nullable ResumePoint point, List<String> coordinators) {
        GenerationEvent.Builder told = event.toBuilder();
        told.getStartedBuilder().addAllCoordinators(coordinators);
        if (point != null) {
            told.getStartedBuilder().setResume(point);
        }
        return told.build();
    }

    /** Another route, for a reader that began with an earlier one. */
    static GenerationEvent rerouted(
            int epoch, List<RouteStage> route, @Nullable ResumePoint point) {
        Rerouted.Builder rerouted =
                Rerouted.newBuilder()
                        .setEpoch(epoch)
                        .addAllRoute(route.stream().map(Wire::toWire).toList());
        if (point != null) {
            rerouted.setResume(point);
        }
        return GenerationEvent.newBuilder().setRerouted(rerouted).build();
    }

    /**
     * What is wrong with a wish to go on.
     *
     * @param ticket the ticket in it, if somebody of the pool has signed it
     */
    static @Nullable Problem fault(Resume resume, @Nullable Ticket ticket) {
        if (ticket == null) {
            return Problem.of(
                    Problem.Kind.UNAUTHORIZED,
                    "No coordinator of this pool has signed the ticket to go on with, or it is too old.");
        }
        boolean fits =
                resume.getCommittedCount() <= ticket.maxPositions()
                        && resume.getAttempt() >= 0
                        && resume.getAttempt() <= GatewayLimits.MAX_RESUME_ATTEMPTS;
        return fits
                ? null
                : Problem.inField("resume", "More tokens or tries are named than there can be.");
    }
}
