package coop.sahkar.worker.ring;

import coop.sahkar.proto.Problem;
import java.io.Serial;

/** A peer broke the protocol; its link ends. The message says how. */
final class LinkViolation extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    private final Problem.Kind kind;

    LinkViolation(String message) {
        this(Problem.Kind.PROTOCOL, message);
    }

    LinkViolation(Problem.Kind kind, String message) {
        super(message, null, false, false);
        this.kind = kind;
    }

    LinkViolation(Problem problem) {
        this(problem.kind(), problem.message());
    }

    Problem problem() {
        return Problem.of(kind, String.valueOf(getMessage()));
    }
}
