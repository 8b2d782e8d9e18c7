package coop.sahkar.deploy.simulate;

/** Something that must never be has come about; the message is a sentence. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    Violation(String sentence) {
        super(sentence);
    }
}
