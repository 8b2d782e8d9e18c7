package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;

/** Answers other methods than the one a path is for with 405 and says which it is. */
final class OnlyMethod extends SimpleDecoratingHttpService {
    private final HttpMethod only;

    OnlyMethod(HttpMethod only, HttpService delegate) {
        super(delegate);
        this.only = only;
    }

    @Override
    public HttpResponse serve(ServiceRequestContext context, HttpRequest request) throws Exception {
        HttpMethod method = request.method();
        boolean head = method == HttpMethod.HEAD && only == HttpMethod.GET;
        if (method == only || head) {
            return unwrap().serve(context, request);
        }
        return OpenAiErrors.plain(405, "This path takes %s, not %s.".formatted(only, method), null)
                .mapHeaders(headers ->
                        headers.withMutations(h -> h.set(HttpHeaderNames.ALLOW, only.name())));
    }
}
