package coop.sahkar.proto.tls;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;

/**
 * A node's own Ed25519 key, made once and never changed. It signs what the node asks the
 * co-operative for; links are proved with other keys, which change with every certificate.
 */
public final class NodeKey {
    private static final String ALGORITHM = "Ed25519";

    private final PrivateKey secret;
    private final byte[] open;

    private NodeKey(PrivateKey secret, byte[] open) {
        this.secret = secret;
        this.open = open;
    }

    /** Reads it from a file, or makes one there. */
    static NodeKey open(Path file) throws IOException, GeneralSecurityException {
        if (!Files.exists(file)) {
            KeyPair pair = KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
            String text =
                    Pem.write(pair.getPrivate())
                            + Base64.getEncoder().encodeToString(pair.getPublic().getEncoded())
                            + "\n";
            PrivateFiles.write(file, text.getBytes(StandardCharsets.US_ASCII));
        }
        byte[] text = PrivateFiles.read(file);
        List<String> lines = new String(text, StandardCharsets.US_ASCII).lines().toList();
        try {
            byte[] open = Base64.getDecoder().decode(lines.getLast());
            PublicKey checked = publicKey(open);
            return new NodeKey(Pem.key(text, ALGORITHM), checked.getEncoded());
        } catch (IllegalArgumentException e) {
            throw new GeneralSecurityException(file + " is no key file", e);
        }
    }

    /** The open half, X.509 SubjectPublicKeyInfo, DER. */
    public byte[] open() {
        return open.clone();
    }

    /** Signs bytes. */
    public byte[] sign(byte[] bytes) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initSign(secret);
            signature.update(bytes);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the node's key cannot sign", e);
        }
    }

    /** Whether whoever has the key signed these bytes. */
    public static boolean verifies(byte[] open, byte[] bytes, byte[] signature) {
        try {
            Signature verifier = Signature.getInstance(ALGORITHM);
            verifier.initVerify(publicKey(open));
            verifier.update(bytes);
            return verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static PublicKey publicKey(byte[] open) throws GeneralSecurityException {
        return KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(open));
    }
}
