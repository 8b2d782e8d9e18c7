package coop.sahkar.deploy.demo;

/** The demo cannot go on; the message is a sentence for the person who started it. */
public final class DemoException extends RuntimeException {
    private static final long serialVersionUID = 1;

    DemoException(String sentence) {
        super(sentence);
    }

    DemoException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
