package coop.sahkar.worker.gguf;

import java.io.IOException;
import java.io.Serial;

/** A GGUF file or a manifest that cannot be used. The message names the file, what and where. */
public final class GgufException extends IOException {
    @Serial private static final long serialVersionUID = 1L;

    public GgufException(String message) {
        super(message);
    }

    public GgufException(String message, Throwable cause) {
        super(message, cause);
    }
}
