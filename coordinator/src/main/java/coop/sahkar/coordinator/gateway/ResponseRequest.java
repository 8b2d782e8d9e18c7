package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Problem;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A request to {@code /v1/responses}, read by writing it anew as a chat.
 *
 * @param request the chat
 * @param asked the request's own fields
 * @param said all messages but the instructions, which the next turn does not inherit
 * @param store whether the answer is kept, so that the caller may go on from it
 */
record ResponseRequest(OpenAiRequest request, Fields asked, ArrayNode said, boolean store) {
    private static final List<String> SAME =
            List.of(
                    "model",
                    "temperature",
                    "top_p",
                    "top_k",
                    "min_p",
                    "typical_p",
                    "frequency_penalty",
                    "presence_penalty",
                    "repetition_penalty",
                    "logit_bias",
                    "seed",
                    "stop",
                    "user",
                    "metadata");

    /**
     * Reads a request.
     *
     * @param before what its caller goes on from; null for a new conversation
     * @throws RefusedRequest for the first fault found
     */
    static ResponseRequest read(
            Fields asked, ResponseStore.@Nullable Kept before, String requestId, long drawnSeed) {
        Unsupported.checkResponses(asked);
        ArrayNode said = Json.object().putArray("input");
        if (before != null) {
            said.addAll(before.messages());
        }
        new ResponseInput(said).read(asked.get("input"));
        ObjectNode chat = Json.object();
        for (String name : SAME) {
            if (asked.has(name)) {
                chat.set(name, asked.get(name));
            }
        }
        chat.put("stream", asked.flag("stream"));
        asked.whole("max_output_tokens", 1, Integer.MAX_VALUE)
                .ifPresent(most -> chat.put("max_completion_tokens", most));
        ArrayNode messages = chat.putArray("messages");
        String instructions = asked.text("instructions");
        if (instructions != null) {
            messages.addObject().put("role", "system").put("content", instructions);
        }
        messages.addAll(said);
        ResponseTools.write(asked, chat);
        writeFormat(asked.inner("text"), chat);
        boolean store = asked.flag("store", true);
        try {
            OpenAiRequest request =
                    OpenAiRequest.checked(new Fields(chat), true, requestId, drawnSeed);
            return new ResponseRequest(request, asked, said, store);
        } catch (RefusedRequest refused) {
            throw renamed(refused.problem());
        }
    }

    /** Faults are named as the caller's fields are. */
    private static RefusedRequest renamed(Problem problem) {
        String field = problem.field();
        String name =
                field.replaceFirst("^response_format\\.json_schema", "text.format")
                        .replaceFirst("^response_format", "text.format")
                        .replaceFirst("^messages.*", "input")
                        .replaceFirst("^(tools\\[\\d+])\\.function", "$1")
                        .replaceFirst("^max_(completion_)?tokens", "max_output_tokens");
        String sentence =
                field.isEmpty() ? problem.message() : problem.message().replace(field, name);
        return field.isEmpty() ? new RefusedRequest(problem) : new RefusedRequest(name, sentence);
    }

    private static void writeFormat(@Nullable Fields text, ObjectNode chat) {
        if (text != null && text.has("verbosity")) {
            throw new RefusedRequest(
                    "text.verbosity", "text.verbosity is not supported; leave it out.");
        }
        Fields format = text == null ? null : text.inner("format");
        if (format == null) {
            return;
        }
        ObjectNode written = chat.putObject("response_format");
        written.set("type", format.get("type"));
        written.set("json_schema", format.object());
    }
}
