package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import org.jspecify.annotations.Nullable;

/** Takes a JSON body, whole, and answers on a thread that may wait. */
abstract class JsonService implements HttpService {
    @Override
    public final HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
        if (!isJson(request.contentType())) {
            return OpenAiErrors.plain(
                    415, "Send the request as content-type: application/json.", null);
        }
        return HttpResponse.of(
                request.aggregate()
                        .thenApplyAsync(
                                whole -> {
                                    context.clearRequestTimeout();
                                    return answer(context, whole);
                                },
                                context.blockingTaskExecutor()));
    }

    /** Answers a request whose body has come; no time limit is set any more. */
    abstract HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest whole);

    /** Whether a body of this type is read. */
    boolean isJson(@Nullable MediaType type) {
        return type == null || type.subtype().equals("json") || type.subtype().endsWith("+json");
    }
}
