package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.GenerateRequest;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A request to {@code /v1/chat/completions} or {@code /v1/completions}, read and checked. Unknown
 * fields are ignored, known ones that cannot be honoured are refused by name.
 *
 * @param generate what to generate
 * @param chat whether it is a chat
 * @param stream whether the answer is a stream of events
 * @param includeUsage whether the stream ends with the token counts
 */
record OpenAiRequest(GenerateRequest generate, boolean chat, boolean stream, boolean includeUsage) {

    /** What reading a body gives. */
    sealed interface Reading {
        /** A request in order. */
        record Accepted(OpenAiRequest request) implements Reading {}

        /** The first fault found. */
        record Refused(Problem problem) implements Reading {}
    }

    /**
     * Reads a request.
     *
     * @param body JSON
     * @param chat which of the two endpoints it came to
     * @param requestId its name
     * @param drawnSeed a random number, the seed if the request has none
     */
    static Reading read(byte[] body, boolean chat, String requestId, long drawnSeed) {
        try {
            OpenAiRequest request = read(new Fields(Json.object(body)), chat, requestId, drawnSeed);
            Problem wrong = RequestRules.check(request.generate());
            return wrong == null ? new Reading.Accepted(request) : new Reading.Refused(wrong);
        } catch (RefusedRequest refused) {
            return new Reading.Refused(refused.problem());
        }
    }

    private static OpenAiRequest read(
            Fields fields, boolean chat, String requestId, long drawnSeed) {
        String model = fields.text("model");
        if (model == null || model.isEmpty()) {
            throw new RefusedRequest(
                    "model", "model is missing; GET /v1/models lists what can be named.");
        }
        Unsupported.check(fields, chat);
        GenerateRequest.Builder generate =
                GenerateRequest.newBuilder().setModel(model).setRequestId(requestId);
        if (chat) {
            generate.setChat(ChatReader.read(fields.get("messages")));
        } else {
            generate.setPrompt(prompt(fields.get("prompt")));
        }
        generate.setSampling(SamplingReader.read(fields, drawnSeed));
        generate.setMaxTokens(maxTokens(fields));
        readStop(fields.get("stop"), generate);
        checkUnused(fields);
        boolean stream = fields.flag("stream");
        return new OpenAiRequest(generate.build(), chat, stream, includeUsage(fields, stream));
    }

    private static String prompt(@Nullable JsonNode prompt) {
        if (prompt == null) {
            throw new RefusedRequest("prompt", "prompt is missing; give some text to go on from.");
        }
        if (!prompt.isArray()) {
            return Fields.text(prompt, "prompt");
        }
        if (prompt.size() != 1 || !prompt.get(0).isString()) {
            throw new RefusedRequest(
                    "prompt",
                    "prompt must be a string, or an array with one string; send one request for"
                            + " each prompt, and text, not token ids.");
        }
        return Fields.text(prompt.get(0), "prompt");
    }

    private static int maxTokens(Fields fields) {
        OptionalLong newer = fields.whole("max_completion_tokens", 1, Limits.MAX_POSITIONS);
        OptionalLong older = fields.whole("max_tokens", 1, Limits.MAX_POSITIONS);
        return (int) (newer.isPresent() ? newer : older).orElse(0);
    }

    private static void readStop(@Nullable JsonNode stop, GenerateRequest.Builder generate) {
        if (stop == null) {
            return;
        }
        if (stop.isString()) {
            generate.addStop(Fields.text(stop, "stop"));
            return;
        }
        if (!stop.isArray() || stop.size() > Limits.MAX_STOPS) {
            throw new RefusedRequest(
                    "stop",
                    "stop must be a string or an array of at most %d strings."
                            .formatted(Limits.MAX_STOPS));
        }
        for (JsonNode one : stop) {
            generate.addStop(Fields.text(one, "stop"));
        }
    }

    /** What changes nothing here, but must be of the right type all the same. */
    private static void checkUnused(Fields fields) {
        fields.text("user");
        fields.inner("metadata");
    }

    private static boolean includeUsage(Fields fields, boolean stream) {
        Fields options = fields.inner("stream_options");
        if (options == null) {
            return false;
        }
        if (!stream) {
            throw new RefusedRequest(
                    "stream_options", "stream_options is for streams only; set stream to true.");
        }
        JsonNode include = options.get("include_usage");
        if (include != null && !include.isBoolean()) {
            throw new RefusedRequest(
                    "stream_options.include_usage",
                    "stream_options.include_usage must be true or false.");
        }
        return include != null && include.booleanValue();
    }
}
