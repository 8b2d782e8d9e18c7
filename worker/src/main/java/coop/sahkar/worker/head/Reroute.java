package coop.sahkar.worker.head;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;

/** What asking a coordinator for another route came to. */
public sealed interface Reroute {
    /**
     * There is one.
     *
     * @param ticket verified, and entered at this worker
     */
    record Found(SealedTicket ticket) implements Reroute {}

    /** There is none now; asking again later may help. */
    record NoneNow(Problem problem) implements Reroute {}

    /** There is none that begins at this head, but there is one that begins elsewhere. */
    record AnotherHead(Problem problem) implements Reroute {}

    /** There will be none. */
    record Never(Problem problem) implements Reroute {}
}
