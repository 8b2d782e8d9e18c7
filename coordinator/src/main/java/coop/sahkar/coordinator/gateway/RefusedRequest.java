package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Problem;

/**
 * Leaves the reading of a request at its first fault. Whoever reads bodies catches it; carries no
 * stack trace.
 */
final class RefusedRequest extends RuntimeException {
    private final transient Problem problem;

    RefusedRequest(String field, String sentence) {
        super(sentence, null, false, false);
        this.problem = Problem.inField(field, sentence);
    }

    RefusedRequest(Problem problem) {
        super(problem.message(), null, false, false);
        this.problem = problem;
    }

    Problem problem() {
        return problem;
    }
}
