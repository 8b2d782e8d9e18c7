package coop.sahkar.client.http;

/** What came from a service is no answer; the message continues a sentence about the service. */
final class NotAnAnswer extends Exception {
    private static final long serialVersionUID = 1;

    NotAnAnswer(String what) {
        super(what);
    }
}
