package coop.sahkar.worker.agent;

import java.io.Serial;

/** A worker cannot start. The message says why and what to do. */
public final class WorkerException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    public WorkerException(String message) {
        super(message);
    }

    public WorkerException(String message, Throwable cause) {
        super(message, cause);
    }
}
