package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.Grammar;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatCall;
import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.ChatTool;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.SamplingMessage;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a request must look like before anything is done for it, whichever way it came in. Pure.
 * Fields are named as in the HTTP API.
 */
final class RequestRules {
    /** Highest temperature. */
    static final float MAX_TEMPERATURE = 5;

    /** Largest top_k; beyond any vocabulary. */
    static final int MAX_TOP_K = 1 << 24;

    /** Largest repetition penalty. */
    static final float MAX_REPETITION_PENALTY = 10;

    /** Bounds of frequency and presence penalty: minus this to this. */
    static final float MAX_PENALTY = 2;

    /** Bounds of one logit's bias: minus this to this. */
    static final float MAX_BIAS = 100;

    /** The penalties look this many tokens back unless the caller says otherwise: all of them. */
    static final int WHOLE_SESSION = -1;

    /** Characters of a model's id with its digest, generously. */
    static final int MAX_MODEL_CHARS = 256;

    /** Positions the chat template may add to a conversation, generously. */
    private static final int TEMPLATE_POSITIONS = 256;

    /** Positions the chat template may add to one message, generously. */
    private static final int MESSAGE_POSITIONS = 32;

    /** Positions the chat template may add to say how functions are called, generously. */
    private static final int TOOLS_POSITIONS = 1024;

    /** Positions the chat template may add to one function, generously. */
    private static final int TOOL_POSITIONS = 64;

    /** Bytes of text in a token, as English has them in most vocabularies. */
    private static final int LIKELY_BYTES_PER_TOKEN = 4;

    private static final Set<String> ROLES = Set.of("system", "user", "assistant", "tool");

    private RequestRules() {}

    /** The first thing wrong with a request, or null. */
    static @Nullable Problem check(GenerateRequest request) {
        if (request.getModel().isEmpty() || request.getModel().length() > MAX_MODEL_CHARS) {
            return Problem.inField("model", "Name a model; GET /v1/models lists them.");
        }
        if (request.getMaxTokens() < 0 || request.getMaxTokens() > Limits.MAX_POSITIONS) {
            return Problem.inField(
                    "max_tokens", "max_tokens must be 1 to %d.".formatted(Limits.MAX_POSITIONS));
        }
        Problem input = checkInput(request);
        if (input != null) {
            return input;
        }
        Problem stop = checkStop(request.getStopList());
        return stop != null ? stop : checkSampling(request.getSampling());
    }

    /**
     * What is wrong with the length asked for, or null. Beyond the model's context it can never be
     * had; below it, but longer than what the prompt leaves, the answer ends with "length".
     *
     * @param contextLength most tokens of a session with the model; 0 when that is not known
     */
    static @Nullable Problem checkLength(GenerateRequest request, int contextLength) {
        return contextLength == 0 || request.getMaxTokens() <= contextLength
                ? null
                : Problem.inField(
                        "max_tokens",
                        ("max_tokens is %d, but prompt and answer together may take %d tokens with"
                                        + " this model; ask for fewer, or leave it out.")
                                .formatted(request.getMaxTokens(), contextLength));
    }

    private static @Nullable Problem checkInput(GenerateRequest request) {
        return switch (request.getInputCase()) {
            case CHAT -> checkChat(request.getChat());
            case PROMPT -> checkPrompt(request.getPrompt());
            case INPUT_NOT_SET -> Problem.inField("messages", "Give messages or a prompt.");
        };
    }

    private static @Nullable Problem checkPrompt(String prompt) {
        return prompt.isEmpty()
                ? Problem.inField("prompt", "The prompt is empty; give some text to go on from.")
                : tooLong("prompt", utf8Bytes(prompt));
    }

    private static @Nullable Problem checkChat(Chat chat) {
        if (chat.getMessagesCount() < 1 || chat.getMessagesCount() > Limits.MAX_CHAT_MESSAGES) {
            return Problem.inField(
                    "messages", "messages must hold 1 to %d.".formatted(Limits.MAX_CHAT_MESSAGES));
        }
        long bytes = 0;
        for (int i = 0; i < chat.getMessagesCount(); i++) {
            ChatMessage message = chat.getMessages(i);
            if (!ROLES.contains(message.getRole())) {
                return Problem.inField(
                        "messages[%d].role".formatted(i),
                        "messages[%d].role must be system, user, assistant or tool.".formatted(i));
            }
            bytes += messageBytes(message);
        }
        Problem tooMuch = tooLong("messages", bytes);
        return tooMuch != null ? tooMuch : checkTools(chat);
    }

    private static @Nullable Problem checkTools(Chat chat) {
        return chat.getToolsCount() <= Limits.MAX_TOOLS && toolBytes(chat) <= Limits.MAX_TOOLS_BYTES
                ? null
                : Problem.inField(
                        "tools",
                        "tools may hold %d functions of %d bytes together."
                                .formatted(Limits.MAX_TOOLS, Limits.MAX_TOOLS_BYTES));
    }

    private static long toolBytes(Chat chat) {
        long bytes = 0;
        for (ChatTool tool : chat.getToolsList()) {
            bytes += tool.getSerializedSize();
        }
        return bytes;
    }

    private static long messageBytes(ChatMessage message) {
        long bytes = utf8Bytes(message.getContent()) + utf8Bytes(message.getCallId());
        for (ChatCall call : message.getCallsList()) {
            bytes += call.getSerializedSize();
        }
        return bytes;
    }

    private static @Nullable Problem tooLong(String field, long bytes) {
        return bytes <= Limits.MAX_PROMPT_BYTES
                ? null
                : Problem.inField(
                        field,
                        "%s hold %d bytes; at most %d are taken."
                                .formatted(field, bytes, Limits.MAX_PROMPT_BYTES));
    }

    private static @Nullable Problem checkStop(List<String> stops) {
        if (stops.size() > Limits.MAX_STOPS) {
            return Problem.inField(
                    "stop", "stop may hold at most %d strings.".formatted(Limits.MAX_STOPS));
        }
        for (String stop : stops) {
            if (stop.isEmpty() || stop.length() > Limits.MAX_STOP_CHARS) {
                return Problem.inField(
                        "stop",
                        "A stop string must have 1 to %d characters."
                                .formatted(Limits.MAX_STOP_CHARS));
            }
        }
        return null;
    }

    private static @Nullable Problem checkSampling(SamplingMessage sampling) {
        Problem[] found = {
            within("temperature", sampling.getTemperature(), 0, MAX_TEMPERATURE),
            within("top_k", sampling.getTopK(), 0, MAX_TOP_K),
            within("top_p", sampling.getTopP(), 0, 1),
            within("min_p", sampling.getMinP(), 0, 1),
            within("typical_p", sampling.getTypicalP(), 0, 1),
            within(
                    "repetition_penalty",
                    sampling.getRepetitionPenalty(),
                    0.01f,
                    MAX_REPETITION_PENALTY),
            within("frequency_penalty", sampling.getFrequencyPenalty(), -MAX_PENALTY, MAX_PENALTY),
            within("presence_penalty", sampling.getPresencePenalty(), -MAX_PENALTY, MAX_PENALTY),
            within(
                    "penalty_window",
                    sampling.getPenaltyWindow(),
                    WHOLE_SESSION,
                    Limits.MAX_POSITIONS),
            checkBias(sampling.getLogitBiasMap()),
            within("top_logprobs", sampling.getChances(), 0, Limits.MAX_TOP_CHANCES + 1),
            checkGrammar(sampling.getGrammar())
        };
        for (Problem problem : found) {
            if (problem != null) {
                return problem;
            }
        }
        return null;
    }

    private static @Nullable Problem checkBias(Map<Integer, Float> bias) {
        if (bias.size() > Limits.MAX_LOGIT_BIAS) {
            return Problem.inField(
                    "logit_bias",
                    "logit_bias may name at most %d tokens.".formatted(Limits.MAX_LOGIT_BIAS));
        }
        for (Map.Entry<Integer, Float> entry : bias.entrySet()) {
            Problem problem = within("logit_bias", entry.getValue(), -MAX_BIAS, MAX_BIAS);
            if (problem != null || entry.getKey() < 0) {
                return problem != null
                        ? problem
                        : Problem.inField("logit_bias", "logit_bias names an impossible token.");
            }
        }
        return null;
    }

    private static @Nullable Problem checkGrammar(String grammar) {
        return Grammar.fault(grammar)
                .map(fault ->
                        Problem.inField(
                                "response_format", "The grammar " + fault + "; ask for less."))
                .orElse(null);
    }

    private static @Nullable Problem within(String field, double value, double low, double high) {
        return value >= low && value <= high
                ? null
                : Problem.inField(
                        field, "%s must be a number from %s to %s.".formatted(field, low, high));
    }

    /**
     * An upper bound of the positions the request can take, for the route's reservation. A token is
     * at least one byte.
     *
     * @param request one that is {@link #bounded}
     */
    static int positionsBound(GenerateRequest request) {
        long input =
                request.hasChat() ? chatBytes(request.getChat()) : utf8Bytes(request.getPrompt());
        return (int)
                Math.min(Limits.MAX_POSITIONS, input + TEMPLATE_POSITIONS + request.getMaxTokens());
    }

    /**
     * The same within what a caller may have.
     *
     * @param most most positions of one of its sessions; 0 for no limit of its own
     */
    static int positionsBound(GenerateRequest request, int most) {
        int bound = positionsBound(request);
        return most == 0 ? bound : Math.min(bound, most);
    }

    /** Tokens that a prompt likely has; what it really has is known when it was computed. */
    static int likelyPrompt(GenerateRequest request) {
        long bytes =
                request.hasChat() ? chatBytes(request.getChat()) : utf8Bytes(request.getPrompt());
        return (int) Math.min(Limits.MAX_POSITIONS, 1 + bytes / LIKELY_BYTES_PER_TOKEN);
    }

    /** JSON is written with a blank behind each comma and colon, so it may double. */
    private static long chatBytes(Chat chat) {
        long bytes = chat.getToolsCount() == 0 ? 0 : TOOLS_POSITIONS + 2 * toolBytes(chat);
        for (ChatMessage message : chat.getMessagesList()) {
            bytes += utf8Bytes(message.getContent()) + MESSAGE_POSITIONS;
            for (ChatCall call : message.getCallsList()) {
                bytes += 2L * call.getSerializedSize() + MESSAGE_POSITIONS;
            }
        }
        return bytes + (long) TOOL_POSITIONS * chat.getToolsCount();
    }

    /** Length of a text as UTF-8, counted without encoding it. */
    private static long utf8Bytes(String text) {
        long bytes = 0;
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            if (unit < 0x80) {
                bytes += 1;
            } else if (unit < 0x800 || Character.isSurrogate(unit)) {
                bytes += 2;
            } else {
                bytes += 3;
            }
        }
        return bytes;
    }

    /**
     * The request with a bound to its answer. Most callers set none, and each stage holds room for
     * the longest answer possible, so that without a bound few requests would fill every worker.
     *
     * @param answerTokens the bound for a request that sets none
     */
    static GenerateRequest bounded(GenerateRequest request, int answerTokens) {
        return request.getMaxTokens() == 0
                ? request.toBuilder().setMaxTokens(answerTokens).build()
                : request;
    }

    /**
     * A request from a gRPC caller, who leaves unset what he does not care for: what is off at 1 is
     * set to 1, and a seed is drawn when none is given.
     *
     * @param seed a random number other than 0
     */
    static GenerateRequest completed(GenerateRequest request, long seed) {
        SamplingMessage given = request.getSampling();
        SamplingMessage.Builder sampling = given.toBuilder();
        if (given.getTopP() == 0) {
            sampling.setTopP(1);
        }
        if (given.getTypicalP() == 0) {
            sampling.setTypicalP(1);
        }
        if (given.getRepetitionPenalty() == 0) {
            sampling.setRepetitionPenalty(1);
        }
        if (given.getPenaltyWindow() == 0) {
            sampling.setPenaltyWindow(WHOLE_SESSION);
        }
        if (given.getSeed() == 0) {
            sampling.setSeed(seed);
        }
        return request.toBuilder().setSampling(sampling).build();
    }
}
