package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationFailed;
import coop.sahkar.proto.v1.ProblemCode;
import io.grpc.Status;

/** Problems between the wire, gRPC statuses and the domain. */
final class Problems {
    private static final String WIRE_PREFIX = "PROBLEM_CODE_";

    private Problems() {}

    /** A problem as it came over the wire; an unknown code is a fault of the sender. */
    static Problem fromWire(coop.sahkar.proto.v1.Problem wire) {
        Problem.Kind kind =
                switch (wire.getCode()) {
                    case PROBLEM_CODE_UNSPECIFIED, UNRECOGNIZED -> Problem.Kind.INTERNAL;
                    case PROBLEM_CODE_INVALID_REQUEST,
                            PROBLEM_CODE_MODEL_NOT_FOUND,
                            PROBLEM_CODE_CONTEXT_LENGTH_EXCEEDED,
                            PROBLEM_CODE_OVERLOADED,
                            PROBLEM_CODE_MODEL_INCOMPLETE,
                            PROBLEM_CODE_WORKER_LOST,
                            PROBLEM_CODE_CANCELLED,
                            PROBLEM_CODE_DEADLINE_EXCEEDED,
                            PROBLEM_CODE_UNAUTHORIZED,
                            PROBLEM_CODE_PROTOCOL,
                            PROBLEM_CODE_NOT_LEADER,
                            PROBLEM_CODE_INTERNAL ->
                            Problem.Kind.valueOf(
                                    wire.getCode().name().substring(WIRE_PREFIX.length()));
                };
        int retryAfterMillis = Math.max(0, wire.getRetryAfterMillis());
        return new Problem(kind, wire.getMessage(), wire.getField(), retryAfterMillis);
    }

    /** The last event of a generation that failed. */
    static GenerationEvent failedEvent(Problem problem, String workerId) {
        return GenerationEvent.newBuilder()
                .setFailed(
                        GenerationFailed.newBuilder()
                                .setProblem(toWire(problem))
                                .setWorkerId(workerId))
                .build();
    }

    private static coop.sahkar.proto.v1.Problem toWire(Problem problem) {
        return coop.sahkar.proto.v1.Problem.newBuilder()
                .setCode(ProblemCode.valueOf(WIRE_PREFIX + problem.kind().name()))
                .setMessage(problem.message())
                .setField(problem.field())
                .setRetryAfterMillis(problem.retryAfterMillis())
                .build();
    }

    /**
     * What a head said, as the gateway's caller should see it: a worker that refuses our ticket,
     * does not know the model it was placed with, or speaks another protocol is a lost worker, not
     * a fault of the caller.
     */
    static Problem ofHead(Problem said, String worker) {
        return switch (said.kind()) {
            case UNAUTHORIZED, PROTOCOL, NOT_LEADER, MODEL_NOT_FOUND, CANCELLED ->
                    Problem.of(
                            Problem.Kind.WORKER_LOST,
                            "Worker %s did not serve the request: %s"
                                    .formatted(worker, said.message()));
            case INVALID_REQUEST,
                    CONTEXT_LENGTH_EXCEEDED,
                    OVERLOADED,
                    MODEL_INCOMPLETE,
                    WORKER_LOST,
                    DEADLINE_EXCEEDED,
                    INTERNAL ->
                    said;
        };
    }

    /** A call to a head that ended without a last event. */
    static Problem ofStatus(Status status, String worker) {
        return switch (status.getCode()) {
            case RESOURCE_EXHAUSTED ->
                    Problem.of(Problem.Kind.OVERLOADED, "Worker %s is full.".formatted(worker));
            case DEADLINE_EXCEEDED -> deadline();
            case UNAVAILABLE -> lost("Worker %s was lost or cannot be reached.".formatted(worker));
            case OK -> lost("Worker %s ended an answer in the middle.".formatted(worker));
            case CANCELLED,
                    UNKNOWN,
                    INVALID_ARGUMENT,
                    NOT_FOUND,
                    ALREADY_EXISTS,
                    PERMISSION_DENIED,
                    FAILED_PRECONDITION,
                    ABORTED,
                    OUT_OF_RANGE,
                    UNIMPLEMENTED,
                    INTERNAL,
                    DATA_LOSS,
                    UNAUTHENTICATED ->
                    lost("Worker %s broke off (%s).".formatted(worker, status.getCode()));
        };
    }

    /** A worker is lost. */
    static Problem lost(String sentence) {
        return Problem.of(Problem.Kind.WORKER_LOST, sentence);
    }

    /** The caller's deadline passed. */
    static Problem deadline() {
        return Problem.of(
                Problem.Kind.DEADLINE_EXCEEDED,
                "The request's deadline passed before it was done.");
    }
}
