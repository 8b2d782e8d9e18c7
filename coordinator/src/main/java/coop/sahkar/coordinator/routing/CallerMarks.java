package coop.sahkar.coordinator.routing;

import coop.sahkar.coordinator.Secret;
import coop.sahkar.proto.SessionId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import javax.crypto.Mac;

/**
 * What tickets say of whom a session is for: a keyed hash of account and session. By it a worker
 * tells whether the next turn of a session is the same caller's, and learns neither who that is nor
 * which other sessions are theirs. Thread-safe.
 */
public final class CallerMarks {
    private static final int MARK_BYTES = 16;

    private final Secret secret;

    /**
     * @param secret of this process; the marks of another are others
     */
    public CallerMarks(Secret secret) {
        this.secret = secret;
    }

    /** The mark of an account in a session; empty for nobody in particular. */
    String of(SessionId session, String account) {
        if (account.isEmpty()) {
            return "";
        }
        Mac mac = secret.mac();
        mac.update(
                ByteBuffer.allocate(2 * Long.BYTES)
                        .putLong(session.high())
                        .putLong(session.low())
                        .flip());
        byte[] hash = mac.doFinal(account.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(hash, 0, MARK_BYTES);
    }
}
