package coop.sahkar.worker.store;

import java.io.Serial;

/** A source did not give the bytes that were asked of it. The message is a sentence. */
final class SourceException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    /** What follows from the failure. */
    enum Kind {
        /** It may work later: refused connection, broken stream, overload, silence. */
        UNAVAILABLE,
        /** It does not hold this piece; it may hold others. */
        LACKS_PIECE,
        /** It can never serve us: no byte ranges, no such file, other bytes than the manifest's. */
        UNUSABLE
    }

    private final Kind kind;

    SourceException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    SourceException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    Kind kind() {
        return kind;
    }
}
