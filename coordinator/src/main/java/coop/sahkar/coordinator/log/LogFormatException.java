package coop.sahkar.coordinator.log;

/** Bytes that are no log entry, snapshot or manifest of this format; the message is a sentence. */
public final class LogFormatException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public LogFormatException(String sentence) {
        super(sentence);
    }
}
