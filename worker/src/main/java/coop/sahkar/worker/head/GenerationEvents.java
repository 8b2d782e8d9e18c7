package coop.sahkar.worker.head;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationFailed;
import coop.sahkar.proto.v1.HeadLeaving;
import coop.sahkar.proto.v1.Prefilled;
import coop.sahkar.proto.v1.Rerouted;

/** What a {@link GenerationSink} is told, as its reader gets it over the network. */
public final class GenerationEvents {
    private GenerationEvents() {}

    /** As {@link GenerationSink#prefilled}. */
    public static GenerationEvent prefilled(int positions) {
        return GenerationEvent.newBuilder()
                .setPrefilled(Prefilled.newBuilder().setPositions(positions))
                .build();
    }

    /** As {@link GenerationSink#rerouted}. */
    public static GenerationEvent rerouted(SealedTicket sealed, long repairMicros) {
        Ticket route = sealed.ticket();
        Rerouted.Builder rerouted =
                Rerouted.newBuilder()
                        .setEpoch(route.epoch())
                        .setRepairMicros(repairMicros)
                        .setTicket(Tickets.toWire(sealed));
        route.stages().forEach(stage -> rerouted.addRoute(Wire.toWire(stage)));
        return GenerationEvent.newBuilder().setRerouted(rerouted).build();
    }

    /** As {@link GenerationSink#leaving}. */
    public static GenerationEvent leaving() {
        return GenerationEvent.newBuilder().setLeaving(HeadLeaving.getDefaultInstance()).build();
    }

    /** As {@link GenerationSink#finished}. */
    public static GenerationEvent finished(GenerationEnd end) {
        return GenerationEvent.newBuilder()
                .setFinished(
                        Finished.newBuilder()
                                .setReason(
                                        end.length()
                                                ? FinishReason.FINISH_REASON_LENGTH
                                                : FinishReason.FINISH_REASON_STOP)
                                .setPromptTokens(end.promptTokens())
                                .setCompletionTokens(end.completionTokens())
                                .setFirstTokenMicros(end.firstTokenMicros())
                                .setDecodeMicros(end.decodeMicros())
                                .setReusedTokens(end.reusedTokens()))
                .build();
    }

    /**
     * As {@link GenerationSink#failed} and {@link GenerationSink#noSpare}.
     *
     * @param noSpare whether another route was looked for as long as is sensible
     */
    public static GenerationEvent failed(Problem problem, String workerId, boolean noSpare) {
        return GenerationEvent.newBuilder()
                .setFailed(
                        GenerationFailed.newBuilder()
                                .setProblem(Wire.toWire(problem))
                                .setWorkerId(workerId)
                                .setNoSpare(noSpare))
                .build();
    }
}
