package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.DetokenizeReply;
import coop.sahkar.proto.v1.DetokenizeRequest;
import coop.sahkar.proto.v1.TokenizeReply;
import coop.sahkar.proto.v1.TokenizeRequest;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code POST /tokenize} and {@code POST /detokenize}, in the shapes of vLLM and of llama-server;
 * which of them is told by the request's fields. A worker that holds the model's head does it.
 */
final class TokenService extends JsonService {
    private final GatewayPool pool;
    private final Turnstile turnstile;
    private final HeadQuestions heads;
    private final boolean join;

    /**
     * @param join whether tokens become text
     */
    TokenService(GatewayPool pool, Turnstile turnstile, HeadQuestions heads, boolean join) {
        this.pool = pool;
        this.turnstile = turnstile;
        this.heads = heads;
        this.join = join;
    }

    @Override
    HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest whole) {
        return HttpResponse.of(
                turnstile
                        .question(Accounts.of(context))
                        .thenCompose(turn ->
                                answer(whole, turn).thenApply(said -> turn.headers().on(said))));
    }

    private CompletableFuture<HttpResponse> answer(
            AggregatedHttpRequest whole, Turnstile.Turn turn) {
        if (turn instanceof Turnstile.Turn.Refused(Problem problem, var _)) {
            return CompletableFuture.completedFuture(refused(problem));
        }
        try {
            Fields fields = new Fields(Json.object(whole.content().array()));
            return join ? join(fields) : cut(fields);
        } catch (RefusedRequest wrong) {
            return CompletableFuture.completedFuture(refused(wrong.problem()));
        }
    }

    /** The model that is named; a pool of one needs no name. */
    private String model(Fields fields) {
        String named = fields.text("model");
        if (named != null && !named.isEmpty()) {
            return named;
        }
        if (pool.models().size() != 1) {
            throw new RefusedRequest(
                    "model", "model is missing; GET /v1/models lists what can be named.");
        }
        return pool.models().getFirst().getModelId();
    }

    private CompletableFuture<HttpResponse> cut(Fields fields) {
        String model = model(fields);
        boolean llama = fields.has("content");
        boolean pieces = fields.flag("with_pieces") || fields.flag("return_token_strs");
        TokenizeRequest.Builder request = TokenizeRequest.newBuilder().setWithPieces(pieces);
        if (fields.has("messages")) {
            request.setChat(ChatReader.read(fields.get("messages")));
        } else {
            String text = fields.text(llama ? "content" : "prompt");
            if (text == null) {
                throw new RefusedRequest(
                        "prompt", "prompt is missing; so are content and messages.");
            }
            request.setText(text)
                    .setAddSpecial(
                            fields.has("add_special")
                                    ? fields.flag("add_special")
                                    : fields.flag("add_special_tokens", !llama))
                    .setParseSpecial(fields.flag("parse_special", true));
        }
        return heads.tokenize(model, request)
                .thenApply(reply ->
                        reply.hasProblem()
                                ? refused(Wire.fromWire(reply.getProblem()))
                                : Json.response(200, llama ? llama(reply) : vllm(reply, model)));
    }

    private static ObjectNode llama(TokenizeReply reply) {
        ObjectNode json = Json.object();
        ArrayNode tokens = json.putArray("tokens");
        for (int i = 0; i < reply.getTokensCount(); i++) {
            if (reply.getPiecesCount() == 0) {
                tokens.add(reply.getTokens(i));
            } else {
                ObjectNode token = tokens.addObject();
                token.put("id", reply.getTokens(i));
                token.put("piece", reply.getPieces(i).toStringUtf8());
            }
        }
        return json;
    }

    private ObjectNode vllm(TokenizeReply reply, String model) {
        ObjectNode json = Json.object();
        json.put("count", reply.getTokensCount());
        json.put("max_model_len", pool.contextLength(model));
        ArrayNode tokens = json.putArray("tokens");
        reply.getTokensList().forEach(tokens::add);
        if (reply.getPiecesCount() == 0) {
            json.putNull("token_strs");
        } else {
            ArrayNode pieces = json.putArray("token_strs");
            reply.getPiecesList().forEach(piece -> pieces.add(piece.toStringUtf8()));
        }
        return json;
    }

    private CompletableFuture<HttpResponse> join(Fields fields) {
        String model = model(fields);
        JsonNode tokens = fields.get("tokens");
        if (tokens == null || !tokens.isArray()) {
            throw new RefusedRequest("tokens", "tokens must be an array of token ids.");
        }
        DetokenizeRequest.Builder request = DetokenizeRequest.newBuilder();
        for (JsonNode token : tokens) {
            if (!token.isIntegralNumber() || !token.canConvertToInt() || token.intValue() < 0) {
                throw new RefusedRequest("tokens", "tokens must be an array of token ids.");
            }
            request.addTokens(token.intValue());
        }
        return heads.detokenize(model, request)
                .thenApply(reply ->
                        reply.hasProblem()
                                ? refused(Wire.fromWire(reply.getProblem()))
                                : Json.response(200, joined(reply)));
    }

    private static ObjectNode joined(DetokenizeReply reply) {
        ObjectNode json = Json.object();
        json.put("prompt", reply.getText());
        json.put("content", reply.getText());
        return json;
    }

    private static HttpResponse refused(Problem problem) {
        return OpenAiErrors.response(problem);
    }
}
