package coop.sahkar.client.provider;

import java.util.List;

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

    /** Ends what is running and drops connections. */
    @Override
    void close();
}
