package coop.sahkar.coordinator.state;

/** The replicated log cannot be had; the message is a sentence. */
public class LogUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public LogUnavailableException(String sentence, Throwable cause) {
        super(sentence, cause);
    }

    public LogUnavailableException(String sentence) {
        super(sentence);
    }
}
