package coop.sahkar.deploy.bench;

import java.io.Serial;

/** A benchmark that could not be run; the message says why. */
public final class BenchException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1L;

    BenchException(String message) {
        super(message);
    }

    BenchException(String message, Throwable cause) {
        super(message, cause);
    }
}
