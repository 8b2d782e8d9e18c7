package coop.sahkar.worker.engine;

/** The model's tokens, as the head needs them. Safe for use by many threads. */
public interface Vocabulary {
    int size();

    /**
     * Cuts text into tokens.
     *
     * @param addSpecial put the model's begin-of-text token in front where the model wants one
     * @param parseSpecial read the text form of control tokens (as chat templates write them) as
     *     those tokens
     */
    int[] tokenize(String text, boolean addSpecial, boolean parseSpecial);

    /** The bytes a token stands for; empty for control tokens. May be part of a UTF-8 sequence. */
    byte[] piece(int token);

    /** Whether generation ends with this token. */
    boolean endsGeneration(int token);
}
