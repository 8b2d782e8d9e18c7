package coop.sahkar.deploy.bench;

import coop.sahkar.client.ChatMessage;
import coop.sahkar.client.Completion;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceRequest;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What it saves that a chat goes on in its session: the second turn of a chat is asked for twice.
 * The first time its beginning rests in the workers; the second time nobody holds it any more,
 * since the session has gone on to the third turn.
 */
public final class TurnsBench {
    private static final int ANSWER_TOKENS = 8;

    private final InferenceClient client;
    private final String model;

    /**
     * What was measured.
     *
     * @param promptTokens tokens of the second turn's prompt, in the last round
     * @param restedMillis median time to its first token where the first turn rests
     * @param freshMillis the same where all is computed
     * @param sameText whether both said the same in every round
     */
    public record Result(
            int promptTokens, double restedMillis, double freshMillis, boolean sameText) {
        /** How many times sooner the first token comes. */
        public double ratio() {
            return freshMillis / restedMillis;
        }
    }

    public TurnsBench(InferenceClient client, String model) {
        this.client = client;
        this.model = model;
    }

    /**
     * Measures.
     *
     * @param historyWords words of the first message; about as many tokens or more
     */
    public Result run(int historyWords, int rounds) {
        double[] rested = new double[rounds];
        double[] fresh = new double[rounds];
        boolean same = true;
        int tokens = 0;
        for (int round = 0; round < rounds; round++) {
            ChatMessage first = ChatMessage.user(history(historyWords, round));
            String said = answer(List.of(first)).text();
            List<ChatMessage> next =
                    List.of(first, ChatMessage.assistant(said), ChatMessage.user("And then?"));
            Completion again = answer(next);
            Completion anew = answer(next);
            rested[round] = again.timings().firstToken().toNanos() / 1e6;
            fresh[round] = anew.timings().firstToken().toNanos() / 1e6;
            same &= again.text().equals(anew.text());
            tokens = again.usage().promptTokens();
        }
        return new Result(tokens, Medians.of(rested), Medians.of(fresh), same);
    }

    private Completion answer(List<ChatMessage> messages) {
        GenerationOptions greedy =
                GenerationOptions.builder().temperature(0).maxTokens(ANSWER_TOKENS).build();
        return client.complete(InferenceRequest.chat(model, messages).with(greedy));
    }

    private static String history(int words, int round) {
        return IntStream.range(0, words)
                .mapToObj(i -> i % 7 == round % 7 ? "share" : "the machine")
                .collect(Collectors.joining(" ", "Chat " + round + ": ", ""));
    }
}
