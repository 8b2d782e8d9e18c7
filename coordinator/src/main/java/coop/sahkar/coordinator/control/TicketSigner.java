package coop.sahkar.coordinator.control;

import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.routing.TicketSeal;
import coop.sahkar.coordinator.state.Encoded;
import coop.sahkar.coordinator.state.TicketKeyRecord;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * This coordinator's Ed25519 key for session tickets. Made at the first start and kept in the data
 * directory, readable by its owner only; never leaves it. The public half goes into the replicated
 * state, so that workers accept the tickets of every coordinator.
 */
public final class TicketSigner implements TicketSeal {
    private static final String ALGORITHM = "Ed25519";
    private static final int KEY_ID_BYTES = 8;
    private static final int MAX_KEY_FILE_BYTES = 1024;

    private final String keyId;
    private final PrivateKey privateKey;
    private final byte[] publicKey;

    private TicketSigner(String keyId, PrivateKey privateKey, byte[] publicKey) {
        this.keyId = keyId;
        this.privateKey = privateKey;
        this.publicKey = publicKey;
    }

    /**
     * Reads the key from {@code file}, or makes one there.
     *
     * @throws CoordinatorException in a sentence, if it can be neither read nor made
     */
    public static TicketSigner open(Path file) {
        try {
            if (!Files.exists(file)) {
                create(file);
            }
            return read(file);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new CoordinatorException(
                    ("the ticket key %s cannot be used (%s); put back a copy of it, or "
                                    + "remove it to have a new one made")
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    @Override
    public SealedTicket seal(Ticket ticket) {
        return Tickets.seal(ticket, keyId, privateKey);
    }

    /** Signs what is no ticket; its first bytes must say what it is instead. */
    byte[] sign(byte[] content) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initSign(privateKey);
            signature.update(content);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("an Ed25519 key signs", e);
        }
    }

    /** The id of the key. */
    String keyId() {
        return keyId;
    }

    /** The public half, as the pool keeps it. */
    public TicketKeyRecord publicKey() {
        return new TicketKeyRecord(keyId, new Encoded(publicKey.clone()));
    }

    /** Written whole under another name first: a key file is never half there. */
    private static void create(Path file) throws IOException, GeneralSecurityException {
        KeyPair pair = KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
        byte[] secret = pair.getPrivate().getEncoded();
        byte[] open = pair.getPublic().getEncoded();
        ByteBuffer content = ByteBuffer.allocate(Integer.BYTES + secret.length + open.length);
        content.putInt(secret.length).put(secret).put(open).flip();
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        Files.deleteIfExists(partial);
        Files.createFile(
                partial,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
            while (content.hasRemaining()) {
                channel.write(content);
            }
            channel.force(true);
        }
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static TicketSigner read(Path file) throws IOException, GeneralSecurityException {
        if (Files.size(file) > MAX_KEY_FILE_BYTES) {
            throw new IllegalArgumentException("it is no key file");
        }
        ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file));
        int length = content.remaining() < Integer.BYTES ? -1 : content.getInt();
        if (length <= 0 || length >= content.remaining()) {
            throw new IllegalArgumentException("it is no key file");
        }
        byte[] secret = new byte[length];
        content.get(secret);
        byte[] open = Arrays.copyOfRange(content.array(), content.position(), content.limit());
        KeyFactory factory = KeyFactory.getInstance(ALGORITHM);
        factory.generatePublic(new X509EncodedKeySpec(open));
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(open);
        return new TicketSigner(
                HexFormat.of().formatHex(hash, 0, KEY_ID_BYTES),
                factory.generatePrivate(new PKCS8EncodedKeySpec(secret)),
                open);
    }
}
