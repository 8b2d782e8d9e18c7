package coop.sahkar.coordinator;

import org.jspecify.annotations.Nullable;

/** A coordinator cannot start or go on; the message is a sentence for the operator. */
public final class CoordinatorException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public CoordinatorException(String sentence) {
        super(sentence);
    }

    public CoordinatorException(String sentence, @Nullable Throwable cause) {
        super(sentence, cause);
    }
}
