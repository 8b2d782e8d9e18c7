package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Problem;

/** A route, or why there is none. */
public sealed interface RouteAnswer {
    /** There is one. */
    record Found(DrawnRoute route) implements RouteAnswer {}

    /**
     * There is none now, or the request cannot have one.
     *
     * @param prospect what may be hoped for
     */
    record None(Problem problem, Prospect prospect) implements RouteAnswer {
        public None(Problem problem) {
            this(problem, Prospect.NONE);
        }
    }
}
