package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.TokenChance;
import coop.sahkar.proto.v1.TokenChances;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** How likely tokens were, as OpenAI's two endpoints say it. */
final class Logprobs {
    private Logprobs() {}

    /**
     * The value of {@code logprobs}.
     *
     * @param offset characters of the answer before these tokens
     * @return null when there are none
     */
    static @Nullable ObjectNode of(boolean chat, List<TokenChances> chances, int offset) {
        if (chances.isEmpty()) {
            return null;
        }
        return chat ? chat(chances) : completion(chances, offset);
    }

    /** Characters of the tokens. */
    static int chars(List<TokenChances> chances) {
        return chances.stream().mapToInt(one -> text(one.getChances(0)).length()).sum();
    }

    private static ObjectNode chat(List<TokenChances> chances) {
        ObjectNode logprobs = Json.object();
        ArrayNode content = logprobs.putArray("content");
        for (TokenChances of : chances) {
            ObjectNode token = content.addObject();
            put(token, of.getChances(0));
            ArrayNode top = token.putArray("top_logprobs");
            of.getChancesList().stream().skip(1).forEach(one -> put(top.addObject(), one));
        }
        logprobs.putNull("refusal");
        return logprobs;
    }

    private static void put(ObjectNode node, TokenChance chance) {
        node.put("token", text(chance));
        node.put("logprob", chance.getLogProbability());
        ArrayNode bytes = node.putArray("bytes");
        chance.getPiece().forEach(one -> bytes.add(Byte.toUnsignedInt(one)));
    }

    private static ObjectNode completion(List<TokenChances> chances, int offset) {
        ObjectNode logprobs = Json.object();
        ArrayNode tokens = logprobs.putArray("tokens");
        ArrayNode own = logprobs.putArray("token_logprobs");
        ArrayNode top = logprobs.putArray("top_logprobs");
        ArrayNode offsets = logprobs.putArray("text_offset");
        int at = offset;
        for (TokenChances of : chances) {
            TokenChance chosen = of.getChances(0);
            tokens.add(text(chosen));
            own.add(chosen.getLogProbability());
            ObjectNode likeliest = top.addObject();
            of.getChancesList().stream()
                    .skip(1)
                    .forEach(one -> likeliest.put(text(one), one.getLogProbability()));
            offsets.add(at);
            at += text(chosen).length();
        }
        return logprobs;
    }

    private static String text(TokenChance chance) {
        return chance.getPiece().toStringUtf8();
    }
}
