package coop.sahkar.client;

import coop.sahkar.client.provider.FailureKind;
import java.time.Duration;
import java.util.Optional;

/**
 * Told what a client does, for metrics: who is asked, how it ends, how long requests wait. Called
 * on the threads that read answers, so it must be quick, must not throw, and is called by several
 * threads at once. It never sees prompts or answers.
 */
public interface ClientListener {
    /** Hears nothing. */
    ClientListener NONE = new ClientListener() {};

    /**
     * How asking one provider ended.
     *
     * @param provider its name
     * @param model the model's name there
     * @param failure why it failed; empty when it answered to the end
     * @param firstText from the question to the first text; empty when none came
     * @param total from the question to the end
     * @param usage tokens, counted or estimated
     */
    record Attempt(
            String provider,
            String model,
            Optional<FailureKind> failure,
            Optional<Duration> firstText,
            Duration total,
            Completion.Usage usage) {}

    /** A provider is asked. */
    default void asked(String provider, String model) {}

    /** It answered, failed, or was cancelled. */
    default void ended(Attempt attempt) {}

    /** A request waits, because everybody who could answer rests or is at a limit. */
    default void waiting(Duration time) {}
}
