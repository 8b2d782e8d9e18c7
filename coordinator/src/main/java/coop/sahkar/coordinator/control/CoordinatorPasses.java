package coop.sahkar.coordinator.control;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.state.PoolView;
import coop.sahkar.proto.v1.CoordinatorPass;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How coordinators prove to each other that they are of one pool: a time, signed with the key that
 * signs their tickets, whose public half is in the replicated state. Good for a minute, so that one
 * signature serves many calls. Thread-safe.
 */
final class CoordinatorPasses {
    private static final String ALGORITHM = "Ed25519";
    private static final String WHAT = "sahkar-coordinator-pass";

    /** How long a pass is good, and at most may say to be. */
    private static final long LIFE_MILLIS = 60_000;

    /** How far clocks of coordinators may be apart. */
    private static final long CLOCK_MILLIS = 60_000;

    private final PoolView pool;
    private final TicketSigner signer;
    private final LongSupplier unixMillis;
    private @Nullable CoordinatorPass own;
    private volatile CoordinatorPass lastGood = CoordinatorPass.getDefaultInstance();

    CoordinatorPasses(PoolView pool, TicketSigner signer, LongSupplier unixMillis) {
        this.pool = pool;
        this.signer = signer;
        this.unixMillis = unixMillis;
    }

    /** A pass of this coordinator. */
    synchronized CoordinatorPass own() {
        long now = unixMillis.getAsLong();
        CoordinatorPass pass = own;
        if (pass == null || pass.getUntilMillis() - now < LIFE_MILLIS / 2) {
            long until = now + LIFE_MILLIS;
            pass =
                    CoordinatorPass.newBuilder()
                            .setKeyId(signer.keyId())
                            .setUntilMillis(until)
                            .setSignature(ByteString.copyFrom(signer.sign(content(until))))
                            .build();
            own = pass;
        }
        return pass;
    }

    /** Whether a pass is a coordinator's of this pool. */
    boolean good(CoordinatorPass pass) {
        long left = pass.getUntilMillis() - unixMillis.getAsLong();
        if (left < -CLOCK_MILLIS || left > LIFE_MILLIS + CLOCK_MILLIS) {
            return false;
        }
        if (pass.equals(lastGood)) {
            return pool.state().ticketKeys().containsKey(pass.getKeyId());
        }
        boolean good = verifies(pass);
        if (good) {
            lastGood = pass;
        }
        return good;
    }

    private boolean verifies(CoordinatorPass pass) {
        try {
            PublicKey key = pool.state().ticketKey(pass.getKeyId());
            if (key == null) {
                return false;
            }
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initVerify(key);
            signature.update(content(pass.getUntilMillis()));
            return signature.verify(pass.getSignature().toByteArray());
        } catch (GeneralSecurityException | IllegalArgumentException forged) {
            return false;
        }
    }

    private static byte[] content(long untilMillis) {
        byte[] what = WHAT.getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(what.length + 1 + Long.BYTES)
                .put(what)
                .put((byte) 0)
                .putLong(untilMillis)
                .array();
    }
}
