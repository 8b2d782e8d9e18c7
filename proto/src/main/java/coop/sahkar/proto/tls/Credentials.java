package coop.sahkar.proto.tls;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.List;

/**
 * What a node shows on links, and the key that proves it is its own.
 *
 * @param key a P-256 key, made anew for each certificate
 * @param certificate the node's
 * @param authority the co-operative's
 * @param name whose it is
 */
public record Credentials(
        PrivateKey key, X509Certificate certificate, X509Certificate authority, NodeName name) {

    /**
     * Puts them together.
     *
     * @throws GeneralSecurityException in a sentence, if the certificate is not of the authority or
     *     names nobody
     */
    public static Credentials of(
            PrivateKey key, X509Certificate certificate, X509Certificate authority)
            throws GeneralSecurityException {
        certificate.verify(authority.getPublicKey());
        NodeName name =
                NodeName.of(certificate)
                        .orElseThrow(() ->
                                new GeneralSecurityException(
                                        "the certificate names no node of a co-operative"));
        return new Credentials(key, certificate, authority, name);
    }

    /** A new key for links. */
    public static KeyPair newKey() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    /** Unix time from which another certificate is wanted: when two thirds of its time are over. */
    public long renewAtMillis() {
        long from = certificate.getNotBefore().toInstant().toEpochMilli();
        long to = certificate.getNotAfter().toInstant().toEpochMilli();
        return from + (to - from) / 3 * 2;
    }

    /** Writes all of it to one file, so that key and certificate always fit each other. */
    void write(Path file) throws IOException, GeneralSecurityException {
        String text = Pem.write(key) + Pem.write(certificate) + Pem.write(authority);
        PrivateFiles.write(file, text.getBytes(StandardCharsets.US_ASCII));
    }

    static Credentials read(Path file) throws IOException, GeneralSecurityException {
        byte[] text = PrivateFiles.read(file);
        List<X509Certificate> chain = Pem.certificates(text);
        if (chain.size() != 2) {
            throw new GeneralSecurityException(
                    "it does not hold a certificate and its authority's");
        }
        return of(Pem.key(text, "EC"), chain.getFirst(), chain.getLast());
    }
}
