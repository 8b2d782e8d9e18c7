package coop.sahkar.proto;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import coop.sahkar.proto.v1.SignedTicket;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Signs session tickets and checks them. Stateless. */
public final class Tickets {
    private static final String ALGORITHM = "Ed25519";
    private static final int SIGNATURE_BYTES = 64;
    private static final int MAX_KEY_ID = 128;
    private static final int MAX_ACCOUNT = 256;
    private static final int MAX_MODEL_ID = Limits.MAX_MODEL_NAME + 1 + 64;

    private Tickets() {}

    /** What looking at a signed ticket came to. */
    public sealed interface Opened {}

    /** The ticket is genuine and in time. */
    public record Valid(SealedTicket ticket) implements Opened {}

    /** It is genuine but too late; {@code UNAUTHORIZED}. What it says of the route is true. */
    public record Expired(SealedTicket ticket, Problem problem) implements Opened {}

    /** It proves nothing, and why: {@code UNAUTHORIZED}, or {@code PROTOCOL} when unreadable. */
    public record Refused(Problem problem) implements Opened {}

    /**
     * Encodes and signs a ticket.
     *
     * @param key an Ed25519 key
     */
    public static SealedTicket seal(Ticket ticket, String keyId, PrivateKey key) {
        byte[] bytes = encode(ticket).toByteArray();
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initSign(key);
            signature.update(bytes);
            return new SealedTicket(ticket, bytes, signature.sign(), keyId);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("key " + keyId + " cannot sign session tickets", e);
        }
    }

    /** The signed ticket as it travels; shares the bytes. */
    public static SignedTicket toWire(SealedTicket sealed) {
        return SignedTicket.newBuilder()
                .setTicket(UnsafeByteOperations.unsafeWrap(sealed.bytes()))
                .setSignature(UnsafeByteOperations.unsafeWrap(sealed.signature()))
                .setKeyId(sealed.keyId())
                .build();
    }

    /**
     * Checks a ticket that came over the wire.
     *
     * @param keys the public key of a key id, or null when it is not known
     * @param nowMillis the time now, Unix milliseconds
     */
    public static Opened open(
            SignedTicket wire, Function<String, @Nullable PublicKey> keys, long nowMillis) {
        ByteString bytes = wire.getTicket();
        if (bytes.size() > Limits.MAX_TICKET_BYTES) {
            return refused(
                    Problem.Kind.PROTOCOL,
                    "A session ticket of %d bytes is longer than the %d allowed."
                            .formatted(bytes.size(), Limits.MAX_TICKET_BYTES));
        }
        if (wire.getSignature().size() != SIGNATURE_BYTES
                || wire.getKeyId().length() > MAX_KEY_ID) {
            return refused(Problem.Kind.PROTOCOL, "The session ticket is not signed with Ed25519.");
        }
        PublicKey key = keys.apply(wire.getKeyId());
        if (key == null) {
            return refused(
                    Problem.Kind.UNAUTHORIZED,
                    "The session ticket is signed with a key that is not known here; no coordinator"
                            + " of this pool has named it.");
        }
        return open(wire, key, nowMillis);
    }

    private static Opened open(SignedTicket wire, PublicKey key, long nowMillis) {
        byte[] bytes = wire.getTicket().toByteArray();
        byte[] signature = wire.getSignature().toByteArray();
        if (!verifies(bytes, signature, key)) {
            return refused(
                    Problem.Kind.UNAUTHORIZED,
                    "The session ticket's signature is wrong; it was forged or damaged.");
        }
        Ticket ticket;
        try {
            ticket = decode(bytes);
        } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
            return refused(
                    Problem.Kind.PROTOCOL, "The session ticket cannot be read: " + e.getMessage());
        }
        SealedTicket sealed = new SealedTicket(ticket, bytes, signature, wire.getKeyId());
        if (nowMillis > ticket.expiresAtMillis()) {
            return new Expired(
                    sealed,
                    Problem.of(
                            Problem.Kind.UNAUTHORIZED,
                            "The session ticket expired %d ms ago; ask for a new one, or set the clocks."
                                    .formatted(nowMillis - ticket.expiresAtMillis())));
        }
        return new Valid(sealed);
    }

    /**
     * Reads a public key as {@code TicketKey.public_key} carries it.
     *
     * @throws IllegalArgumentException if it is not an Ed25519 key
     */
    public static PublicKey publicKey(byte[] subjectPublicKeyInfo) {
        try {
            return KeyFactory.getInstance(ALGORITHM)
                    .generatePublic(new X509EncodedKeySpec(subjectPublicKeyInfo));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("not an Ed25519 public key in X.509 form", e);
        }
    }

    private static boolean verifies(byte[] bytes, byte[] signature, PublicKey key) {
        try {
            Signature verifier = Signature.getInstance(ALGORITHM);
            verifier.initVerify(key);
            verifier.update(bytes);
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            return false; // a signature that is not even well-formed
        }
    }

    private static coop.sahkar.proto.v1.Ticket encode(Ticket ticket) {
        return coop.sahkar.proto.v1.Ticket.newBuilder()
                .setSessionHigh(ticket.session().high())
                .setSessionLow(ticket.session().low())
                .setEpoch(ticket.epoch())
                .setModelId(ticket.modelId())
                .setBlockCount(ticket.blockCount())
                .addAllStages(ticket.stages().stream().map(Wire::toWire).toList())
                .setAccount(ticket.account())
                .setMaxPositions(ticket.maxPositions())
                .setExpiresAtMillis(ticket.expiresAtMillis())
                .setGeneration(ticket.generation())
                .build();
    }

    private static Ticket decode(byte[] bytes) throws InvalidProtocolBufferException {
        var wire = coop.sahkar.proto.v1.Ticket.parseFrom(bytes);
        Wire.requireLength(wire.getModelId(), 1, MAX_MODEL_ID, "a model's id");
        Wire.requireLength(wire.getAccount(), 0, MAX_ACCOUNT, "an account");
        if (wire.getStagesCount() > Limits.MAX_STAGES) {
            throw new IllegalArgumentException(wire.getStagesCount() + " stages are too many");
        }
        return new Ticket(
                new SessionId(wire.getSessionHigh(), wire.getSessionLow()),
                wire.getEpoch(),
                wire.getModelId(),
                wire.getBlockCount(),
                wire.getStagesList().stream().map(Wire::fromWire).toList(),
                wire.getAccount(),
                wire.getMaxPositions(),
                wire.getExpiresAtMillis(),
                wire.getGeneration());
    }

    private static Refused refused(Problem.Kind kind, String message) {
        return new Refused(Problem.of(kind, message));
    }
}
