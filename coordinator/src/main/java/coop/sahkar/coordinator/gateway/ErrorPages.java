package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.ContentTooLargeException;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.HttpResponseException;
import com.linecorp.armeria.server.HttpStatusException;
import com.linecorp.armeria.server.RequestTimeoutException;
import com.linecorp.armeria.server.ServerErrorHandler;
import com.linecorp.armeria.server.ServiceConfig;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the HTTP server refuses or fails by itself, in OpenAI's error shape. */
final class ErrorPages implements ServerErrorHandler {
    /** Said of a path that does not exist. */
    static final String NOTHING_HERE = "There is nothing at this path; GET / lists what there is.";

    private static final Logger LOG = LoggerFactory.getLogger(ErrorPages.class);

    @Override
    public @Nullable HttpResponse onServiceException(
            ServiceRequestContext context, Throwable thrown) {
        Throwable cause =
                thrown instanceof CompletionException && thrown.getCause() != null
                        ? thrown.getCause()
                        : thrown;
        if (cause instanceof HttpStatusException || cause instanceof HttpResponseException) {
            return null;
        }
        if (cause instanceof ContentTooLargeException) {
            return page(HttpStatus.REQUEST_ENTITY_TOO_LARGE).toHttpResponse();
        }
        if (cause instanceof RequestTimeoutException) {
            return page(HttpStatus.REQUEST_TIMEOUT).toHttpResponse();
        }
        LOG.error("request {} to {} broke", RequestIds.of(context), context.path(), cause);
        return page(HttpStatus.INTERNAL_SERVER_ERROR).toHttpResponse();
    }

    @Override
    public AggregatedHttpResponse renderStatus(
            @Nullable ServiceRequestContext context,
            ServiceConfig config,
            @Nullable RequestHeaders headers,
            HttpStatus status,
            @Nullable String description,
            @Nullable Throwable cause) {
        return page(status);
    }

    private static AggregatedHttpResponse page(HttpStatus status) {
        String type = status.code() < 500 ? "invalid_request_error" : "server_error";
        return AggregatedHttpResponse.of(
                ResponseHeaders.builder(status).contentType(MediaType.JSON_UTF_8).build(),
                HttpData.wrap(Json.bytes(OpenAiErrors.json(sentence(status), type, "", null))));
    }

    private static String sentence(HttpStatus status) {
        return switch (status.code()) {
            case 404 -> NOTHING_HERE;
            case 408 -> "The request took too long to arrive; send it again.";
            case 413 ->
                    "The request is too large: at most %d bytes are taken."
                            .formatted(GatewayLimits.MAX_REQUEST_BYTES);
            case 500 -> "The gateway failed; its log says more. Try again.";
            default -> "The request was refused: " + status.reasonPhrase() + ".";
        };
    }
}
