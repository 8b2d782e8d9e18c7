package coop.sahkar.proto.tls;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Keys and certificates as text. */
final class Pem {
    private static final int LINE_CHARS = 64;
    private static final int MAX_BLOCKS = 16;
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z ]+)-----([^-]*)-----END \\1-----");

    private Pem() {}

    static String write(PrivateKey key) {
        return block("PRIVATE KEY", key.getEncoded());
    }

    static String write(X509Certificate certificate) throws CertificateException {
        return block("CERTIFICATE", certificate.getEncoded());
    }

    private static String block(String kind, byte[] bytes) {
        String body = Base64.getMimeEncoder(LINE_CHARS, new byte[] {'\n'}).encodeToString(bytes);
        return "-----BEGIN %s-----%n%s%n-----END %s-----%n".formatted(kind, body, kind);
    }

    static List<X509Certificate> certificates(byte[] text) throws CertificateException {
        List<X509Certificate> found = new ArrayList<>();
        for (byte[] der : blocks(text, "CERTIFICATE")) {
            found.add(certificate(der));
        }
        return found;
    }

    static X509Certificate certificate(byte[] der) throws CertificateException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(der));
    }

    /** The first private key, of the algorithm that the caller expects. */
    static PrivateKey key(byte[] text, String algorithm) throws GeneralSecurityException {
        List<byte[]> keys = blocks(text, "PRIVATE KEY");
        if (keys.isEmpty()) {
            throw new GeneralSecurityException("there is no private key");
        }
        return KeyFactory.getInstance(algorithm)
                .generatePrivate(new PKCS8EncodedKeySpec(keys.getFirst()));
    }

    private static List<byte[]> blocks(byte[] text, String kind) throws CertificateException {
        List<byte[]> found = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(new String(text, StandardCharsets.US_ASCII));
        while (found.size() < MAX_BLOCKS && matcher.find()) {
            if (matcher.group(1).equals(kind)) {
                try {
                    found.add(Base64.getMimeDecoder().decode(matcher.group(2)));
                } catch (IllegalArgumentException e) {
                    throw new CertificateException("a block of it is garbled", e);
                }
            }
        }
        return found;
    }
}
