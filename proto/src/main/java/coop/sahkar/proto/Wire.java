package coop.sahkar.proto;

import coop.sahkar.proto.v1.HiddenCodecMessage;
import coop.sahkar.proto.v1.ProblemCode;
import coop.sahkar.proto.v1.RouteStageMessage;
import coop.sahkar.proto.v1.SpanMessage;
import java.util.Optional;

/**
 * Small values between the domain and the wire. Reading checks bounds: what is out of them throws
 * {@link IllegalArgumentException} with a sentence, for the adapter that reads the whole message to
 * turn into a refusal.
 */
public final class Wire {
    private Wire() {}

    public static SpanMessage toWire(Span span) {
        return SpanMessage.newBuilder().setFirst(span.first()).setEnd(span.end()).build();
    }

    public static Span fromWire(SpanMessage span) {
        return new Span(span.getFirst(), span.getEnd());
    }

    public static RouteStageMessage toWire(RouteStage stage) {
        return RouteStageMessage.newBuilder()
                .setWorkerId(stage.workerId())
                .setEndpoint(stage.endpoint())
                .setSpan(toWire(stage.span()))
                .build();
    }

    public static RouteStage fromWire(RouteStageMessage stage) {
        requireLength(stage.getWorkerId(), 1, Limits.MAX_WORKER_ID, "a worker's id");
        requireLength(stage.getEndpoint(), 0, Limits.MAX_ENDPOINT, "a worker's endpoint");
        return new RouteStage(stage.getWorkerId(), stage.getEndpoint(), fromWire(stage.getSpan()));
    }

    public static HiddenCodecMessage toWire(HiddenCodec codec) {
        return switch (codec) {
            case F32 -> HiddenCodecMessage.HIDDEN_CODEC_F32;
            case F16 -> HiddenCodecMessage.HIDDEN_CODEC_F16;
        };
    }

    /** The codec, or empty for one that is not known here. */
    public static Optional<HiddenCodec> fromWire(HiddenCodecMessage codec) {
        return switch (codec) {
            case HIDDEN_CODEC_F32 -> Optional.of(HiddenCodec.F32);
            case HIDDEN_CODEC_F16 -> Optional.of(HiddenCodec.F16);
            case HIDDEN_CODEC_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        };
    }

    public static coop.sahkar.proto.v1.Problem toWire(Problem problem) {
        return coop.sahkar.proto.v1.Problem.newBuilder()
                .setCode(toWire(problem.kind()))
                .setMessage(problem.message())
                .setField(problem.field())
                .setRetryAfterMillis(problem.retryAfterMillis())
                .build();
    }

    /** Never fails: what a newer peer says in an unknown code counts as {@code INTERNAL}. */
    public static Problem fromWire(coop.sahkar.proto.v1.Problem problem) {
        String field = problem.getField();
        return new Problem(
                fromWire(problem.getCode()),
                problem.getMessage(),
                field.substring(0, Math.min(field.length(), Limits.MAX_ERROR_CHARS)),
                Math.max(0, problem.getRetryAfterMillis()));
    }

    private static ProblemCode toWire(Problem.Kind kind) {
        return switch (kind) {
            case INVALID_REQUEST -> ProblemCode.PROBLEM_CODE_INVALID_REQUEST;
            case MODEL_NOT_FOUND -> ProblemCode.PROBLEM_CODE_MODEL_NOT_FOUND;
            case CONTEXT_LENGTH_EXCEEDED -> ProblemCode.PROBLEM_CODE_CONTEXT_LENGTH_EXCEEDED;
            case OVERLOADED -> ProblemCode.PROBLEM_CODE_OVERLOADED;
            case RATE_LIMITED -> ProblemCode.PROBLEM_CODE_RATE_LIMITED;
            case MODEL_INCOMPLETE -> ProblemCode.PROBLEM_CODE_MODEL_INCOMPLETE;
            case WORKER_LOST -> ProblemCode.PROBLEM_CODE_WORKER_LOST;
            case CANCELLED -> ProblemCode.PROBLEM_CODE_CANCELLED;
            case DEADLINE_EXCEEDED -> ProblemCode.PROBLEM_CODE_DEADLINE_EXCEEDED;
            case UNAUTHORIZED -> ProblemCode.PROBLEM_CODE_UNAUTHORIZED;
            case PROTOCOL -> ProblemCode.PROBLEM_CODE_PROTOCOL;
            case NOT_LEADER -> ProblemCode.PROBLEM_CODE_NOT_LEADER;
            case INTERNAL -> ProblemCode.PROBLEM_CODE_INTERNAL;
        };
    }

    private static Problem.Kind fromWire(ProblemCode code) {
        return switch (code) {
            case PROBLEM_CODE_INVALID_REQUEST -> Problem.Kind.INVALID_REQUEST;
            case PROBLEM_CODE_MODEL_NOT_FOUND -> Problem.Kind.MODEL_NOT_FOUND;
            case PROBLEM_CODE_CONTEXT_LENGTH_EXCEEDED -> Problem.Kind.CONTEXT_LENGTH_EXCEEDED;
            case PROBLEM_CODE_OVERLOADED -> Problem.Kind.OVERLOADED;
            case PROBLEM_CODE_RATE_LIMITED -> Problem.Kind.RATE_LIMITED;
            case PROBLEM_CODE_MODEL_INCOMPLETE -> Problem.Kind.MODEL_INCOMPLETE;
            case PROBLEM_CODE_WORKER_LOST -> Problem.Kind.WORKER_LOST;
            case PROBLEM_CODE_CANCELLED -> Problem.Kind.CANCELLED;
            case PROBLEM_CODE_DEADLINE_EXCEEDED -> Problem.Kind.DEADLINE_EXCEEDED;
            case PROBLEM_CODE_UNAUTHORIZED -> Problem.Kind.UNAUTHORIZED;
            case PROBLEM_CODE_PROTOCOL -> Problem.Kind.PROTOCOL;
            case PROBLEM_CODE_NOT_LEADER -> Problem.Kind.NOT_LEADER;
            case PROBLEM_CODE_INTERNAL, PROBLEM_CODE_UNSPECIFIED, UNRECOGNIZED ->
                    Problem.Kind.INTERNAL;
        };
    }

    static void requireLength(String text, int least, int most, String what) {
        if (text.length() < least || text.length() > most) {
            throw new IllegalArgumentException(
                    "%s must have %d to %d characters, not %d"
                            .formatted(what, least, most, text.length()));
        }
    }
}
