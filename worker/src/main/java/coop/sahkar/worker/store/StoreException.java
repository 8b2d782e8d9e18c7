package coop.sahkar.worker.store;

import java.io.Serial;

/** A shard cannot be had or a model cannot be published. The message says why and what to do. */
public final class StoreException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    public StoreException(String message) {
        super(message);
    }

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
