package coop.sahkar.proto.tls;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * A co-operative's authority: who has its key can make members. Keys are P-256, since neither
 * browsers nor BoringSSL, with which Ratis speaks, accept certificates with Ed25519.
 */
public final class CertificateAuthority {
    /** How long nodes' certificates last unless told otherwise. */
    public static final long USUAL_LIFETIME_MILLIS = TimeUnit.DAYS.toMillis(30);

    private static final long OWN_LIFETIME_MILLIS = TimeUnit.DAYS.toMillis(3650);

    /** Clocks may differ by that much. */
    private static final long SKEW_MILLIS = TimeUnit.HOURS.toMillis(24);

    private static final int SERIAL_BITS = 127;
    private static final String SIGNATURE = "SHA256withECDSA";
    private static final int MAX_HOSTS = 16;

    private final String coop;
    private final PrivateKey key;
    private final X509Certificate certificate;
    private final SecureRandom random;

    private CertificateAuthority(
            String coop, PrivateKey key, X509Certificate certificate, SecureRandom random) {
        this.coop = coop;
        this.key = key;
        this.certificate = certificate;
        this.random = random;
    }

    /** Makes the authority of a new co-operative; it is kept nowhere yet. */
    public static CertificateAuthority create(String coop, long nowMillis, SecureRandom random)
            throws GeneralSecurityException {
        KeyPair pair = Credentials.newKey();
        X500Principal name = new X500Principal("CN=Sahkar " + coop + ",OU=authority,O=" + coop);
        try {
            var builder =
                    new JcaX509v3CertificateBuilder(
                            name,
                            serial(random),
                            Date.from(Instant.ofEpochMilli(nowMillis - SKEW_MILLIS)),
                            Date.from(Instant.ofEpochMilli(nowMillis + OWN_LIFETIME_MILLIS)),
                            name,
                            pair.getPublic());
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(
                    Extension.keyUsage,
                    true,
                    new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            X509Certificate own = sign(builder, pair.getPrivate());
            return new CertificateAuthority(coop, pair.getPrivate(), own, random);
        } catch (CertIOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    /** Reads the key that {@link #write} has written. */
    public static CertificateAuthority read(Path file, SecureRandom random)
            throws IOException, GeneralSecurityException {
        byte[] text = PrivateFiles.read(file);
        List<X509Certificate> own = Pem.certificates(text);
        if (own.size() != 1) {
            throw new CertificateException(file + " does not hold one authority's certificate");
        }
        X500Principal name = own.getFirst().getSubjectX500Principal();
        String coop = name.getName(X500Principal.RFC2253).replaceAll(".*,O=", "");
        return new CertificateAuthority(coop, Pem.key(text, "EC"), own.getFirst(), random);
    }

    /** Keeps the key in a file; refuses to replace one. */
    public void write(Path file) throws IOException, GeneralSecurityException {
        if (Files.exists(file)) {
            throw new IOException(file + " is there already");
        }
        String text = Pem.write(key) + Pem.write(certificate);
        PrivateFiles.write(file, text.getBytes(StandardCharsets.US_ASCII));
    }

    /** The name of the co-operative. */
    public String coop() {
        return coop;
    }

    /** The certificate that all others are signed with. */
    public X509Certificate certificate() {
        return certificate;
    }

    /**
     * Makes a certificate.
     *
     * @param tlsKey the P-256 key it is for
     * @param hosts names and addresses that stand in it too
     */
    public X509Certificate issue(
            NodeName name,
            PublicKey tlsKey,
            List<String> hosts,
            long nowMillis,
            long lifetimeMillis)
            throws GeneralSecurityException {
        try {
            var builder =
                    new JcaX509v3CertificateBuilder(
                            certificate.getSubjectX500Principal(),
                            serial(random),
                            Date.from(
                                    Instant.ofEpochMilli(
                                            nowMillis - Math.min(SKEW_MILLIS, lifetimeMillis))),
                            Date.from(Instant.ofEpochMilli(nowMillis + lifetimeMillis)),
                            new X500Principal(
                                    "CN=%s,OU=%s,O=%s"
                                            .formatted(name.id(), name.role().word(), name.coop())),
                            tlsKey);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(
                    Extension.extendedKeyUsage,
                    false,
                    new ExtendedKeyUsage(
                            new KeyPurposeId[] {
                                KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                            }));
            builder.addExtension(Extension.subjectAlternativeName, false, names(name, hosts));
            return sign(builder, key);
        } catch (CertIOException e) {
            throw new GeneralSecurityException(e);
        }
    }

    private static GeneralNames names(NodeName name, List<String> hosts) {
        List<GeneralName> all = new ArrayList<>();
        all.add(new GeneralName(GeneralName.uniformResourceIdentifier, name.address()));
        for (String host : hosts.stream().distinct().limit(MAX_HOSTS).toList()) {
            boolean address = host.matches("[0-9.]+") || host.contains(":");
            all.add(new GeneralName(address ? GeneralName.iPAddress : GeneralName.dNSName, host));
        }
        return new GeneralNames(all.toArray(GeneralName[]::new));
    }

    private static X509Certificate sign(JcaX509v3CertificateBuilder builder, PrivateKey key)
            throws GeneralSecurityException {
        try {
            return new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(new JcaContentSignerBuilder(SIGNATURE).build(key)));
        } catch (OperatorCreationException e) {
            throw new GeneralSecurityException(e);
        }
    }

    private static BigInteger serial(SecureRandom random) {
        return new BigInteger(SERIAL_BITS, random).setBit(SERIAL_BITS);
    }
}
