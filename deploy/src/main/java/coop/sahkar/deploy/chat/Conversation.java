package coop.sahkar.deploy.chat;

import coop.sahkar.client.ChatMessage;
import coop.sahkar.client.Completion;
import coop.sahkar.client.GenerationOptions;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceException;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.TokenStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A conversation with a model: what was said, and how to go on. */
public final class Conversation {
    private final InferenceClient client;
    private final GenerationOptions options;
    private final List<ChatMessage> turns = new ArrayList<>();
    private String model;
    private String system;
    private @Nullable Completion last;
    private volatile @Nullable TokenStream running;

    /**
     * @param system instructions ahead of the conversation; empty for none
     */
    public Conversation(
            InferenceClient client, String model, String system, GenerationOptions options) {
        this.client = client;
        this.model = model;
        this.system = system;
        this.options = options;
    }

    /**
     * Asks, and passes the answer on as it comes. What failed is not kept as part of the
     * conversation; of a cancelled answer, what came is.
     *
     * @throws InferenceException if the answer cannot be completed
     */
    public Completion ask(String question, Consumer<String> shown) {
        List<ChatMessage> messages = new ArrayList<>();
        if (!system.isBlank()) {
            messages.add(ChatMessage.system(system));
        }
        messages.addAll(turns);
        messages.add(ChatMessage.user(question));
        InferenceRequest request = InferenceRequest.chat(model, messages).with(options);
        try (TokenStream stream = client.stream(request)) {
            running = stream;
            try {
                while (stream.hasNext()) {
                    shown.accept(stream.next().text());
                }
            } catch (InferenceException.Cancelled stopped) {
                keep(question, stream.textSoFar());
                throw stopped;
            } finally {
                running = null;
            }
            Completion completion = stream.completion();
            keep(question, completion.text());
            last = completion;
            return completion;
        }
    }

    /** Stops the answer that is coming, if one is; from any thread. */
    public void stop() {
        TokenStream stream = running;
        if (stream != null) {
            stream.cancel();
        }
    }

    private void keep(String question, String answer) {
        turns.add(ChatMessage.user(question));
        turns.add(ChatMessage.assistant(answer));
    }

    /** Begins anew under other instructions; empty for none. */
    public void system(String text) {
        system = text;
        turns.clear();
    }

    /** Goes on with another model. */
    public void model(String name) {
        model = name;
    }

    public String model() {
        return model;
    }

    InferenceClient client() {
        return client;
    }

    /** The last complete answer. */
    public Optional<Completion> last() {
        return Optional.ofNullable(last);
    }
}
