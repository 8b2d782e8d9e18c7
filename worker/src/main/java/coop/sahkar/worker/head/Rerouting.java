package coop.sahkar.worker.head;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import java.util.Set;
import java.util.function.Consumer;

/** Where a head asks for another route for a session. */
@FunctionalInterface
public interface Rerouting {
    /** For a worker without coordinators: there is never another route. */
    Rerouting NONE =
            (_, _, why, answer) ->
                    answer.accept(
                            new Reroute.Never(
                                    Problem.of(
                                            Problem.Kind.MODEL_INCOMPLETE,
                                            "No coordinator is known that could find one.")));

    /**
     * Asks for the route after {@code newest}. Must not block.
     *
     * @param newest the newest route known of
     * @param lost workers not to use
     * @param why what was seen of the loss
     * @param answer called once, from any thread
     */
    void ask(SealedTicket newest, Set<String> lost, Problem why, Consumer<Reroute> answer);
}
