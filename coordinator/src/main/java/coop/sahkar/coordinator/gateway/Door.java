package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.proto.Problem;
import java.util.Set;

/**
 * Lets nobody through to the API whose key is wrong, or who shows none where one is asked for.
 * Every path of the API is behind it, those to come included; open are the pages that say how the
 * pool fares. gRPC services ask for themselves, since they refuse in another form.
 */
final class Door extends SimpleDecoratingHttpService {
    private static final String OLLAMA = "/api/";
    private static final Set<String> OPEN = Set.of("/v1/policy", "/api/version");
    private static final Set<String> MORE = Set.of("/tokenize", "/detokenize");

    private final Doorkeeper doorkeeper;

    Door(Doorkeeper doorkeeper, HttpService delegate) {
        super(delegate);
        this.doorkeeper = doorkeeper;
    }

    @Override
    public HttpResponse serve(ServiceRequestContext context, HttpRequest request) throws Exception {
        String path = context.path();
        boolean api = path.startsWith("/v1/") || path.startsWith(OLLAMA) || MORE.contains(path);
        if (!api || OPEN.contains(path)) {
            return unwrap().serve(context, request);
        }
        return switch (Accounts.identify(doorkeeper, context)) {
            case Doorkeeper.Entry.Known _ -> unwrap().serve(context, request);
            case Doorkeeper.Entry.Refused(Problem problem) ->
                    path.startsWith(OLLAMA)
                            ? OllamaFormat.error(problem)
                            : OpenAiErrors.response(problem);
        };
    }
}
