package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import io.netty.util.AttributeKey;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Names every request: the caller's own {@code x-request-id} if it is a plain one, a random one
 * otherwise. The answer carries it, errors included.
 */
final class RequestIds extends SimpleDecoratingHttpService {
    /** The header's name. */
    static final String HEADER = "x-request-id";

    private static final AttributeKey<String> ID = AttributeKey.valueOf(RequestIds.class, "ID");
    private static final Pattern PLAIN =
            Pattern.compile("[A-Za-z0-9._-]{1," + GatewayLimits.MAX_REQUEST_ID_CHARS + "}");

    RequestIds(HttpService delegate) {
        super(delegate);
    }

    @Override
    public HttpResponse serve(ServiceRequestContext context, HttpRequest request) throws Exception {
        String given = request.headers().get(HEADER);
        String id = given != null && PLAIN.matcher(given).matches() ? given : made();
        context.setAttr(ID, id);
        context.mutateAdditionalResponseHeaders(headers -> headers.set(HEADER, id));
        return unwrap().serve(context, request);
    }

    /** The name of a request. */
    static String of(ServiceRequestContext context) {
        @Nullable String id = context.attr(ID);
        return id == null ? made() : id;
    }

    private static String made() {
        return "req-" + UUID.randomUUID();
    }
}
