package coop.sahkar.worker.engine;

import java.io.Serial;

/**
 * A shard that cannot be loaded, or a batch that the library refused. The message says what to do.
 */
public final class StageException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    public StageException(String message) {
        super(message);
    }

    public StageException(String message, Throwable cause) {
        super(message, cause);
    }
}
