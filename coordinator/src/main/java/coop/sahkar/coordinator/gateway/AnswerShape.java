package coop.sahkar.coordinator.gateway;

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
            int index, String text, Finished finished, @Nullable ObjectNode logprobs) {
        ObjectNode choice = Json.object();
        choice.put("index", index);
        if (chat) {
            ObjectNode message = choice.putObject("message");
            message.put("role", "assistant");
            message.put("content", text);
            message.putNull("refusal");
        } else {
            choice.put("text", text);
        }
        choice.set("logprobs", logprobs);
        choice.put("finish_reason", reason(finished));
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

    /** The last chunk of the answer proper. */
    ObjectNode finishChunk(int index, Finished finished) {
        return chunk(index, reason(finished));
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

    private static String reason(Finished finished) {
        return finished.getReason() == FinishReason.FINISH_REASON_LENGTH ? "length" : "stop";
    }
}
