package coop.sahkar.client.provider;

import coop.sahkar.client.InferenceRequest;
import java.util.List;
import java.util.OptionalInt;

/**
 * A service that answers. Many threads use one at a time. A provider does not try again and does
 * not ask elsewhere; the client's router is the only one who does.
 */
public interface Provider extends AutoCloseable {
    /** What is known of it before it is asked. */
    Profile profile();

    /**
     * Begins an answer and returns at once. Whatever the service does wrong comes as an {@link
     * AnswerEvent.Failed}, never as an exception.
     */
    Answer ask(Call call);

    /**
     * Names of the models the service offers to this caller now.
     *
     * @throws coop.sahkar.client.InferenceException if it cannot be asked, or refuses the key
     */
    List<String> modelNames();

    /**
     * Tokens of a request's prompt as the service itself counts them; empty where it has no way to.
     *
     * @param model the model's name at this provider
     * @throws coop.sahkar.client.InferenceException if it cannot be asked, or refuses to tell
     */
    default OptionalInt countTokens(InferenceRequest request, String model) {
        return OptionalInt.empty();
    }

    /** Ends what is running and drops connections. */
    @Override
    void close();
}
