package coop.sahkar.deploy.bench;

import coop.sahkar.client.ChatMessage;
import coop.sahkar.client.Completion;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** How soon the second turn of a chat begins, chat after chat. */
public final class TurnsBench {
    private static final int ANSWER_TOKENS = 8;

    /** From messages of so many words, and of twice as many, a word's tokens are learnt. */
    private static final int FEW_WORDS = 10;

    private final InferenceClient client;
    private final String model;

    /**
     * The second turn of one chat.
     *
     * @param chat what was asked: the first message, its answer, and another message
     * @param answer what was answered, and what it took
     * @param firstTokenMillis from asking until the first token, as seen by the asker
     */
    public record Turn(List<ChatMessage> chat, Completion answer, double firstTokenMillis) {
        public Turn {
            chat = List.copyOf(chat);
        }

        /** What was answered. */
        public String text() {
            return answer.text();
        }

        /** Tokens of the chat. */
        public int promptTokens() {
            return answer.usage().promptTokens();
        }

        /** Those of them that were not computed, because the turn before rested. */
        public int cachedTokens() {
            return answer.usage().cachedTokens();
        }
    }

    public TurnsBench(InferenceClient client, String model) {
        this.client = client;
        this.model = model;
    }

    /**
     * Has chats of two turns, each of which begins otherwise. The same are had by whoever runs the
     * same model.
     *
     * @param historyTokens tokens of the first message with its template, nearly
     */
    public List<Turn> run(int historyTokens, int chats) {
        int few = tokens(FEW_WORDS);
        int perWord = Math.max(1, (tokens(2 * FEW_WORDS) - few) / FEW_WORDS);
        int words = Math.max(1, FEW_WORDS + (historyTokens - few) / perWord);
        List<Turn> turns = new ArrayList<>();
        for (int chat = 0; chat < chats; chat++) {
            ChatMessage first = ChatMessage.user(history(words, chat));
            String said = client.complete(request(List.of(first))).text();
            turns.add(
                    turn(
                            List.of(
                                    first,
                                    ChatMessage.assistant(said),
                                    ChatMessage.user("And then?"))));
        }
        return turns;
    }

    /** Asks for one turn, whatever was said before. */
    public Turn turn(List<ChatMessage> chat) {
        long began = System.nanoTime();
        Completion done = client.complete(request(chat));
        long nanos = System.nanoTime() - began - done.timings().decode().toNanos();
        return new Turn(chat, done, nanos / 1e6);
    }

    /** The median of the times to the first token. */
    public static double medianMillis(List<Turn> turns) {
        return Medians.of(turns.stream().mapToDouble(Turn::firstTokenMillis).toArray());
    }

    private InferenceRequest request(List<ChatMessage> messages) {
        GenerationOptions greedy =
                GenerationOptions.builder().temperature(0).maxTokens(ANSWER_TOKENS).build();
        return InferenceRequest.chat(model, messages).with(greedy);
    }

    private int tokens(int words) {
        ChatMessage message = ChatMessage.user(history(words, 0));
        return client.complete(request(List.of(message))).usage().promptTokens();
    }

    private static String history(int words, int chat) {
        return IntStream.range(0, words)
                .mapToObj(i -> i % 7 == chat % 7 ? "share" : "machine")
                .collect(Collectors.joining(" ", "Chat " + chat + ": ", ""));
    }
}
