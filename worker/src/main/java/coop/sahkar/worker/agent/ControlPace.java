package coop.sahkar.worker.agent;

import coop.sahkar.proto.Problem;

/**
 * How a worker comes back to a coordinator.
 *
 * @param lost when the connection broke or was never made, or the coordinators had no leader to let
 *     it in
 * @param refused when the coordinator would not have it
 */
public record ControlPace(Backoff lost, Backoff refused) {
    /**
     * Half a second to four, well within a lease: a coordinator that was away for long must not
     * take its workers for lost. Refused: half a minute to ten.
     */
    public static final ControlPace DEFAULT =
            new ControlPace(new Backoff(500, 4_000), new Backoff(30_000, 600_000));

    /** How a worker comes back that was refused. */
    public Backoff after(Problem.Kind refusal) {
        return refusal == Problem.Kind.NOT_LEADER ? lost : refused;
    }
}
