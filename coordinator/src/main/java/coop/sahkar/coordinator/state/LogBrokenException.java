package coop.sahkar.coordinator.state;

/**
 * This coordinator's own log cannot be written, as on a full disk. What was accepted is not lost;
 * the coordinator has to start again once the reason is gone.
 */
public final class LogBrokenException extends LogUnavailableException {
    private static final long serialVersionUID = 1;

    public LogBrokenException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
