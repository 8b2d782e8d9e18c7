package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.limits.Verdict;
import coop.sahkar.governance.Tier;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.GenerationFailed;
import io.grpc.Status;
import java.util.Locale;

/** Problems between the wire, gRPC statuses and the domain. */
public final class Problems {
    private Problems() {}

    /** The last event of a generation that failed. */
    static GenerationEvent failedEvent(Problem problem, String workerId) {
        return GenerationEvent.newBuilder()
                .setFailed(
                        GenerationFailed.newBuilder()
                                .setProblem(Wire.toWire(problem))
                                .setWorkerId(workerId))
                .build();
    }

    /** Why a generation failed, as metrics and traces call it, such as {@code worker_lost}. */
    static String label(GenerationFailed failed) {
        String code = failed.getProblem().getCode().name();
        return code.replace("PROBLEM_CODE_", "").toLowerCase(Locale.ROOT);
    }

    /**
     * What a head said, as the gateway's caller should see it: a worker that refuses our ticket,
     * does not know the model it was placed with, or speaks another protocol is a lost worker, not
     * a fault of the caller.
     */
    public static Problem ofHead(Problem said, String worker) {
        return switch (said.kind()) {
            case UNAUTHORIZED, PROTOCOL, NOT_LEADER, MODEL_NOT_FOUND, CANCELLED, RATE_LIMITED ->
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

    /** This coordinator takes nothing new. */
    static Problem coordinatorStops() {
        return new Problem(
                Problem.Kind.NOT_LEADER,
                "This coordinator is stopping; ask another one, or try again soon.",
                "",
                1_000);
    }

    /** A coordinator that counts nothing because another one does. */
    static Problem notLeading() {
        return new Problem(
                Problem.Kind.NOT_LEADER,
                "Another coordinator leads and counts what is used; ask that one.",
                "",
                1_000);
    }

    /** A caller has used what its tier allows. */
    static Problem limited(Tier tier, Verdict.Refused refused) {
        long allowed =
                switch (refused.limit()) {
                    case REQUESTS_PER_MINUTE -> tier.requestsPerMinute();
                    case TOKENS_PER_MINUTE -> tier.tokensPerMinute();
                    case TOKENS_PER_DAY -> tier.tokensPerDay();
                    case CONCURRENT_SESSIONS -> tier.concurrentSessions();
                };
        int retryMillis = (int) Math.min(Integer.MAX_VALUE, refused.retryMillis());
        return new Problem(
                Problem.Kind.RATE_LIMITED,
                "The limit of %d %s for tier '%s' is reached; try again in %d s."
                        .formatted(
                                allowed,
                                refused.limit().words(),
                                tier.name(),
                                seconds(retryMillis)),
                "",
                retryMillis);
    }

    /** As many requests wait as may. */
    static Problem queueFull(int retryMillis) {
        return new Problem(
                Problem.Kind.OVERLOADED,
                "All workers are busy, and the queue, or your part of it, is full; try again in %d s."
                        .formatted(seconds(retryMillis)),
                "",
                retryMillis);
    }

    /** A request waited for room in vain. */
    static Problem waitedTooLong(int waitedMillis, int retryMillis) {
        return new Problem(
                Problem.Kind.OVERLOADED,
                "All workers were busy for %d s; try again in %d s."
                        .formatted(seconds(waitedMillis), seconds(retryMillis)),
                "",
                retryMillis);
    }

    /** The same problem, to be tried again no sooner than said. */
    static Problem later(Problem problem, int retryMillis) {
        return new Problem(
                problem.kind(),
                problem.message(),
                problem.field(),
                Math.max(retryMillis, problem.retryAfterMillis()));
    }

    private static int seconds(int millis) {
        return (int) ((millis + 999L) / 1_000);
    }

    /** A reader that takes nothing is given up. */
    static Problem slowReader(int millis) {
        return Problem.of(
                Problem.Kind.CANCELLED,
                "The reader took nothing for %d s.".formatted(millis / 1000));
    }

    /** A fault of ours. */
    static Problem gatewayFailed() {
        return Problem.of(
                Problem.Kind.INTERNAL, "The gateway failed; its log says more. Try again.");
    }

    /** A worker is lost. */
    public static Problem lost(String sentence) {
        return Problem.of(Problem.Kind.WORKER_LOST, sentence);
    }

    /** The caller's deadline passed. */
    static Problem deadline() {
        return Problem.of(
                Problem.Kind.DEADLINE_EXCEEDED,
                "The request's deadline passed before it was done.");
    }
}
