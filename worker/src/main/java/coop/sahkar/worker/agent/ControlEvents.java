package coop.sahkar.worker.agent;

import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.MeasurePeers;
import coop.sahkar.proto.v1.Welcome;

/** What coordinators say to a worker. Called from one thread; must not block it. */
interface ControlEvents {
    /** A coordinator let the worker in. */
    void welcomed(String coordinator, Welcome welcome);

    /** A coordinator says what the worker should hold. */
    void assigned(String coordinator, Assignment assignment);

    /** A coordinator says which peers the worker should measure the way to. */
    void measure(String coordinator, MeasurePeers measure);

    /**
     * A coordinator is not reached, or does not let the worker in.
     *
     * @param why in a sentence
     */
    void detached(String coordinator, String why);
}
