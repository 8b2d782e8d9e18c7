package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.CallRules;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.Resume;
import java.util.List;
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
 * @param choices how many answers are wanted
 * @param calls what is taken for a call of a function in the answers; null if nothing is
 */
record OpenAiRequest(
        GenerateRequest generate,
        boolean chat,
        boolean stream,
        boolean includeUsage,
        int choices,
        @Nullable CallRules calls) {

    /** Most likeliest tokens that {@code /v1/completions} tells, as with OpenAI. */
    private static final int MAX_COMPLETION_LOGPROBS = 5;

    private static final ToolReader.Tools NO_TOOLS =
            new ToolReader.Tools(List.of(), List.of(), true);

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
            return new Reading.Accepted(
                    checked(new Fields(Json.object(body)), chat, requestId, drawnSeed));
        } catch (RefusedRequest refused) {
            return new Reading.Refused(refused.problem());
        }
    }

    /**
     * Reads and checks a request's fields.
     *
     * @throws RefusedRequest for the first fault found
     */
    static OpenAiRequest checked(Fields fields, boolean chat, String requestId, long drawnSeed) {
        OpenAiRequest request = read(fields, chat, requestId, drawnSeed);
        Problem wrong = RequestRules.check(request.generate());
        if (wrong != null) {
            throw new RefusedRequest(wrong);
        }
        return request;
    }

    /**
     * What to generate for one of the answers: each has a seed of its own, the first the request's.
     */
    GenerateRequest generate(int choice) {
        GenerateRequest.Builder one = generate.toBuilder();
        one.getSamplingBuilder().setSeed(generate.getSampling().getSeed() + choice);
        return one.build();
    }

    /** The same, behind what its reader has from another coordinator. */
    OpenAiRequest goingOn(Resume resume) {
        GenerateRequest on = generate.toBuilder().setResume(resume).build();
        return new OpenAiRequest(on, chat, stream, includeUsage, choices, calls);
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
        ToolReader.Tools tools = chat ? ToolReader.read(fields) : NO_TOOLS;
        if (chat) {
            generate.setChat(
                    ChatReader.read(fields.get("messages")).toBuilder()
                            .addAllTools(
                                    tools.offered().stream()
                                            .map(ToolReader.Tool::toWire)
                                            .toList()));
        } else {
            generate.setPrompt(prompt(fields.get("prompt")));
        }
        generate.setSampling(
                SamplingReader.read(fields, drawnSeed).toBuilder()
                        .setChances(chances(fields, chat))
                        .setGrammar(
                                tools.grammar(
                                        ResponseFormat.read(fields.inner("response_format")))));
        generate.setMaxTokens(maxTokens(fields));
        readStop(fields.get("stop"), generate);
        checkUnused(fields);
        boolean stream = fields.flag("stream");
        int choices = (int) fields.whole("n", 1, GatewayLimits.MAX_CHOICES).orElse(1);
        return new OpenAiRequest(
                generate.build(),
                chat,
                stream,
                includeUsage(fields, stream),
                choices,
                tools.rules());
    }

    /** 0: none; n: the chosen token's and those of the n - 1 likeliest. */
    private static int chances(Fields fields, boolean chat) {
        if (!chat) {
            JsonNode count = fields.get("logprobs");
            boolean off = count == null || (count.isBoolean() && !count.booleanValue());
            return off
                    ? 0
                    : 1 + (int) fields.whole("logprobs", 0, MAX_COMPLETION_LOGPROBS).orElse(0);
        }
        OptionalLong top = fields.whole("top_logprobs", 0, Limits.MAX_TOP_CHANCES);
        if (fields.flag("logprobs")) {
            return 1 + (int) top.orElse(0);
        }
        if (top.isPresent() && top.getAsLong() > 0) {
            throw new RefusedRequest(
                    "top_logprobs", "top_logprobs needs logprobs; set logprobs to true.");
        }
        return 0;
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
