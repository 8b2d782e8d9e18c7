package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.CalledFunctions;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * OpenAI's JSON for the answer to one request.
 *
 * @param chat which of the two shapes
 * @param id the answer's id
 * @param createdSeconds Unix time
 * @param model id of the model that answers
 * @param includeUsage whether every chunk of a stream has the key usage
 */
record AnswerShape(
        boolean chat, String id, long createdSeconds, String model, boolean includeUsage) {

    /** The same once it is known which model answers. */
    AnswerShape by(String modelId) {
        return new AnswerShape(chat, id, createdSeconds, modelId, includeUsage);
    }

    /** A whole answer. */
    ObjectNode whole(List<ObjectNode> choices, Finished total) {
        ObjectNode answer = envelope(chat ? "chat.completion" : "text_completion");
        answer.putArray("choices").addAll(choices);
        putUsage(answer, total);
        return answer;
    }

    /** One choice of a whole answer. */
    ObjectNode wholeChoice(
            int index, CalledFunctions answer, Finished finished, @Nullable ObjectNode logprobs) {
        ObjectNode choice = Json.object();
        choice.put("index", index);
        if (chat) {
            ObjectNode message = choice.putObject("message");
            message.put("role", "assistant");
            boolean silent = answer.count() > 0 && answer.text().isBlank();
            message.put("content", silent ? null : answer.text());
            message.putNull("refusal");
            for (int i = 0; i < answer.count(); i++) {
                message.withArray("/tool_calls")
                        .add(call(index, i, answer.name(i), answer.arguments(i)));
            }
        } else {
            choice.put("text", answer.text());
        }
        choice.set("logprobs", logprobs);
        choice.put("finish_reason", reason(finished, answer.count() > 0));
        return choice;
    }

    /** The first chunk of a chat's stream: who speaks. */
    ObjectNode roleChunk(int index) {
        ObjectNode chunk = chunk(index, null);
        ObjectNode delta = (ObjectNode) chunk.get("choices").get(0).get("delta");
        delta.put("role", "assistant");
        delta.put("content", "");
        return chunk;
    }

    /** A chunk with text. */
    ObjectNode textChunk(int index, String text, @Nullable ObjectNode logprobs) {
        ObjectNode chunk = chunk(index, null);
        ObjectNode choice = (ObjectNode) chunk.get("choices").get(0);
        choice.set("logprobs", logprobs);
        if (chat) {
            ((ObjectNode) choice.get("delta")).put("content", text);
        } else {
            choice.put("text", text);
        }
        return chunk;
    }

    /** A chunk that begins a call. */
    ObjectNode callChunk(int index, int number, String name) {
        ObjectNode call = call(index, number, name, "");
        return callChunk(index, Json.object().put("index", number).setAll(call));
    }

    /** A chunk with more of a call's arguments. */
    ObjectNode argumentsChunk(int index, int number, String more) {
        ObjectNode call = Json.object().put("index", number);
        call.putObject("function").put("arguments", more);
        return callChunk(index, call);
    }

    private ObjectNode callChunk(int index, ObjectNode call) {
        ObjectNode chunk = chunk(index, null);
        ((ObjectNode) chunk.at("/choices/0/delta")).putArray("tool_calls").add(call);
        return chunk;
    }

    private ObjectNode call(int index, int number, String name, String arguments) {
        ObjectNode call = Json.object();
        call.put("id", "call_%s_%d_%d".formatted(id.substring(id.indexOf('-') + 1), index, number));
        call.put("type", "function");
        call.putObject("function").put("name", name).put("arguments", arguments);
        return call;
    }

    /** The last chunk of the answer proper. */
    ObjectNode finishChunk(int index, Finished finished, boolean called) {
        return chunk(index, reason(finished, called));
    }

    /** The token counts, after the last chunk. */
    ObjectNode usageChunk(Finished finished) {
        ObjectNode chunk = envelope(chunkObject());
        chunk.putArray("choices");
        putUsage(chunk, finished);
        return chunk;
    }

    private ObjectNode chunk(int index, @Nullable String reason) {
        ObjectNode chunk = envelope(chunkObject());
        ObjectNode choice = chunk.putArray("choices").addObject();
        choice.put("index", index);
        if (chat) {
            choice.putObject("delta");
        } else {
            choice.put("text", "");
        }
        choice.putNull("logprobs");
        choice.put("finish_reason", reason);
        if (includeUsage) {
            chunk.putNull("usage");
        }
        return chunk;
    }

    private String chunkObject() {
        return chat ? "chat.completion.chunk" : "text_completion";
    }

    private ObjectNode envelope(String object) {
        ObjectNode node = Json.object();
        node.put("id", id);
        node.put("object", object);
        node.put("created", createdSeconds);
        node.put("model", model);
        return node;
    }

    private static void putUsage(ObjectNode node, Finished finished) {
        ObjectNode usage = node.putObject("usage");
        usage.put("prompt_tokens", finished.getPromptTokens());
        usage.put("completion_tokens", finished.getCompletionTokens());
        usage.put("total_tokens", finished.getPromptTokens() + finished.getCompletionTokens());
        usage.putObject("prompt_tokens_details").put("cached_tokens", finished.getReusedTokens());
    }

    private static String reason(Finished finished, boolean called) {
        if (finished.getReason() == FinishReason.FINISH_REASON_LENGTH) {
            return "length";
        }
        return called ? "tool_calls" : "stop";
    }
}
