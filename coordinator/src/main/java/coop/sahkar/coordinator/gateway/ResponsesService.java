package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.coordinator.accounts.Caller;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code POST /v1/responses}, and what is kept of its answers. */
final class ResponsesService extends JsonService {
    private static final int ID_BYTES = 24;

    private final SecureRandom random = new SecureRandom();
    private final ResponseStore store = new ResponseStore();
    private final Answering answering;

    ResponsesService(Answering answering) {
        this.answering = answering;
    }

    @Override
    HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest whole) {
        Caller caller = Accounts.of(context);
        String account = caller.account();
        try {
            Fields asked = new Fields(Json.object(whole.content().array()));
            ResponseRequest request =
                    ResponseRequest.read(
                            asked,
                            before(asked, account),
                            RequestIds.of(context),
                            random.nextLong(1, Long.MAX_VALUE));
            return answering.start(request.request(), format(request, account), caller);
        } catch (RefusedRequest refused) {
            return OpenAiErrors.response(refused.problem());
        }
    }

    private ResponseStore.@Nullable Kept before(Fields asked, String account) {
        String previous = asked.text("previous_response_id");
        if (previous == null) {
            return null;
        }
        ResponseStore.Kept kept = store.find(previous, account, System.currentTimeMillis());
        if (kept == null) {
            throw new RefusedRequest(
                    "previous_response_id",
                    "previous_response_id names no response that is kept here; send what was said"
                            + " as input.");
        }
        return kept;
    }

    private ResponsesFormat format(ResponseRequest request, String account) {
        byte[] name = new byte[ID_BYTES];
        random.nextBytes(name);
        String id = "resp_" + HexFormat.of().formatHex(name);
        long now = System.currentTimeMillis();
        return new ResponsesFormat(
                id,
                now / 1_000,
                request.asked(),
                request.request().calls(),
                (response, message) -> {
                    if (request.store()) {
                        keep(id, account, request, response, message);
                    }
                });
    }

    private void keep(
            String id,
            String account,
            ResponseRequest request,
            ObjectNode response,
            ObjectNode message) {
        ArrayNode messages = request.said().deepCopy().add(message);
        store.put(
                id,
                new ResponseStore.Kept(account, messages, response),
                System.currentTimeMillis());
    }

    /** {@code GET} and {@code DELETE} of {@code /v1/responses/{id}}. */
    HttpResponse kept(ServiceRequestContext context, HttpRequest request) {
        String id = String.valueOf(context.pathParam("id"));
        String account = Accounts.of(context).account();
        long now = System.currentTimeMillis();
        return switch (request.method()) {
            case GET -> {
                ResponseStore.Kept kept = store.find(id, account, now);
                yield kept == null ? missing() : Json.response(200, kept.response());
            }
            case DELETE -> {
                ObjectNode gone = Json.object().put("id", id).put("object", "response");
                yield store.remove(id, account, now)
                        ? Json.response(200, gone.put("deleted", true))
                        : missing();
            }
            default ->
                    OpenAiErrors.plain(405, "This path takes GET and DELETE.", null)
                            .mapHeaders(headers ->
                                    headers.withMutations(h -> h.set("allow", "GET, DELETE")));
        };
    }

    private static HttpResponse missing() {
        return OpenAiErrors.plain(404, "No such response is kept here.", null);
    }
}
