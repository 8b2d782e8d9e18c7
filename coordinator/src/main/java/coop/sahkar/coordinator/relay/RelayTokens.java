package coop.sahkar.coordinator.relay;

import coop.sahkar.coordinator.Secret;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/**
 * What proves to the relay that a caller is a worker that was let in here: a keyed hash of its id.
 * The key lives as long as the process, so that a restart voids all of them.
 */
public final class RelayTokens {
    private final Secret secret;

    /**
     * @param secret of this process; the tokens of another prove nothing here
     */
    public RelayTokens(Secret secret) {
        this.secret = secret;
    }

    /** The token of a worker. */
    public byte[] of(String workerId) {
        return secret.mac().doFinal(workerId.getBytes(StandardCharsets.UTF_8));
    }

    /** Whether a token is that worker's. */
    public boolean proves(String workerId, byte[] token) {
        return MessageDigest.isEqual(of(workerId), token);
    }
}
