package coop.sahkar.client;

/**
 * Told of an answer as it comes, on a thread of its own: pieces in order, then one of {@link
 * #completed} and {@link #failed}.
 */
public interface GenerationListener {
    /** The next piece. */
    void piece(TextPiece piece);

    /** The answer is complete. */
    void completed(Completion completion);

    /** It cannot be completed. */
    void failed(InferenceException failure);
}
