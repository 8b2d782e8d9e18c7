package coop.sahkar.proto.tls;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.v1.JoinTokenContent;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;

/**
 * What somebody needs to join a co-operative, in one line of text. Who has it can join: it is as
 * secret as a password until it is used up or its time is over.
 *
 * @param coordinators where coordinators are reached, {@code host:port}
 * @param fingerprint SHA-256 of the co-operative's certificate
 * @param secret what the coordinator asks for
 * @param role what who joins becomes
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record JoinToken(List<String> coordinators, byte[] fingerprint, byte[] secret, Role role) {
    /** How the text begins. */
    public static final String PREFIX = "sahkar-join-";

    /** Bytes of a secret. */
    public static final int SECRET_BYTES = 24;

    private static final int HASH_BYTES = 32;
    private static final int MAX_CHARS = 4096;
    private static final int MAX_COORDINATORS = 16;

    public JoinToken {
        coordinators = List.copyOf(coordinators);
    }

    /** A token for a co-operative. */
    public static JoinToken of(
            List<String> coordinators, X509Certificate authority, byte[] secret, Role role) {
        try {
            return new JoinToken(coordinators, PinnedTrust.fingerprint(authority), secret, role);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a certificate without bytes", e);
        }
    }

    /**
     * Reads a token.
     *
     * @throws IllegalArgumentException in a sentence that does not tell what it holds
     */
    public static JoinToken parse(String text) {
        String line = text.strip();
        if (!line.startsWith(PREFIX) || line.length() > MAX_CHARS) {
            throw new IllegalArgumentException(
                    "that is no token to join with; one begins with " + PREFIX);
        }
        try {
            JoinTokenContent content =
                    JoinTokenContent.parseFrom(
                            Base64.getUrlDecoder().decode(line.substring(PREFIX.length())));
            List<String> coordinators = content.getCoordinatorsList();
            if (content.getFingerprint().size() != HASH_BYTES
                    || content.getSecret().size() != SECRET_BYTES
                    || coordinators.isEmpty()
                    || coordinators.size() > MAX_COORDINATORS
                    || coordinators.stream().anyMatch(c -> c.length() > Limits.MAX_ENDPOINT)) {
                throw new IllegalArgumentException("the token to join with is not whole");
            }
            return new JoinToken(
                    coordinators,
                    content.getFingerprint().toByteArray(),
                    content.getSecret().toByteArray(),
                    Role.fromWire(content.getRole()));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException("the token to join with is garbled", e);
        }
    }

    /** Whether it is for the co-operative with this certificate. */
    public boolean isFor(X509Certificate authority) {
        try {
            return MessageDigest.isEqual(fingerprint, PinnedTrust.fingerprint(authority));
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** The token as a line of text. */
    public String text() {
        JoinTokenContent content =
                JoinTokenContent.newBuilder()
                        .addAllCoordinators(coordinators)
                        .setFingerprint(ByteString.copyFrom(fingerprint))
                        .setSecret(ByteString.copyFrom(secret))
                        .setRole(role.toWire())
                        .build();
        return PREFIX
                + Base64.getUrlEncoder().withoutPadding().encodeToString(content.toByteArray());
    }

    /** What is kept of a secret: enough to know it again. */
    public static byte[] hash(byte[] secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Nothing of the secret: this may come into a log. */
    @Override
    public String toString() {
        return "a token for a %s at %s".formatted(role.word(), String.join(", ", coordinators));
    }
}
