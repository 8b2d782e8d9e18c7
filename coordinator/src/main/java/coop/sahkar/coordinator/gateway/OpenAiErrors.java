package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import coop.sahkar.proto.Problem;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/** Problems in OpenAI's shape: {@code {"error":{message,type,param,code}}}, and their statuses. */
final class OpenAiErrors {
    /** Status, type and code of one kind of problem. */
    private record Shape(int status, String type, @Nullable String code) {}

    private OpenAiErrors() {}

    private static Shape shape(Problem.Kind kind) {
        return switch (kind) {
            case INVALID_REQUEST -> new Shape(400, "invalid_request_error", null);
            case MODEL_NOT_FOUND -> new Shape(404, "invalid_request_error", "model_not_found");
            case CONTEXT_LENGTH_EXCEEDED ->
                    new Shape(400, "invalid_request_error", "context_length_exceeded");
            case OVERLOADED -> new Shape(429, "rate_limit_error", "overloaded");
            case RATE_LIMITED -> new Shape(429, "rate_limit_error", "rate_limit_exceeded");
            case MODEL_INCOMPLETE -> new Shape(503, "server_error", "model_incomplete");
            case WORKER_LOST -> new Shape(503, "server_error", "worker_lost");
            case CANCELLED -> new Shape(408, "server_error", "cancelled");
            case DEADLINE_EXCEEDED -> new Shape(504, "server_error", "deadline_exceeded");
            case UNAUTHORIZED -> new Shape(401, "authentication_error", "invalid_api_key");
            case PROTOCOL -> new Shape(502, "server_error", "protocol");
            case NOT_LEADER -> new Shape(503, "server_error", "not_leader");
            case INTERNAL -> new Shape(500, "server_error", "internal");
        };
    }

    /** The whole response for a problem. */
    static HttpResponse response(Problem problem) {
        return HttpResponse.of(headers(problem), HttpData.wrap(Json.bytes(json(problem))));
    }

    /** Status and headers, with {@code Retry-After} where waiting helps. */
    static ResponseHeaders headers(Problem problem) {
        ResponseHeadersBuilder headers =
                ResponseHeaders.builder(shape(problem.kind()).status())
                        .contentType(MediaType.JSON_UTF_8);
        if (problem.kind().retryable()) {
            int millis = Math.max(1_000, problem.retryAfterMillis());
            headers.addInt(HttpHeaderNames.RETRY_AFTER, (int) ((millis + 999L) / 1_000));
        }
        return headers.build();
    }

    /** The body for a problem. */
    static ObjectNode json(Problem problem) {
        Shape shape = shape(problem.kind());
        String param = problem.kind() == Problem.Kind.MODEL_NOT_FOUND ? "model" : problem.field();
        return json(problem.message(), shape.type(), param, shape.code());
    }

    /** A body from its parts. */
    static ObjectNode json(String message, String type, String param, @Nullable String code) {
        ObjectNode body = Json.object();
        ObjectNode error = body.putObject("error");
        error.put("message", message);
        error.put("type", type);
        error.put("param", param.isEmpty() ? null : param);
        error.put("code", code);
        return body;
    }

    /** A refusal for reasons of HTTP alone, such as a wrong method. */
    static HttpResponse plain(int status, String message, @Nullable String code) {
        String type = status < 500 ? "invalid_request_error" : "server_error";
        return Json.response(status, json(message, type, "", code));
    }
}
