package coop.sahkar.proto.tls;

import org.jspecify.annotations.Nullable;

/** A node has no certificate, or cannot have one; the message is a sentence. */
public final class IdentityException extends Exception {
    public IdentityException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    public IdentityException(String message) {
        super(message);
    }
}
