package coop.sahkar.coordinator.relay;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What proves to the relay that a caller is a worker that was let in here: a keyed hash of its id.
 * The key lives as long as the process, so that a restart voids all of them.
 */
public final class RelayTokens {
    private static final String ALGORITHM = "HmacSHA256";

    private final SecretKeySpec key;

    /**
     * @param secret at least 16 random bytes
     */
    public RelayTokens(byte[] secret) {
        this.key = new SecretKeySpec(secret, ALGORITHM);
    }

    /** The token of a worker. */
    public byte[] of(String workerId) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return mac.doFinal(workerId.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + ALGORITHM, e);
        }
    }

    /** Whether a token is that worker's. */
    public boolean proves(String workerId, byte[] token) {
        return MessageDigest.isEqual(of(workerId), token);
    }
}
