package coop.sahkar.proto.tls;

import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Decides during a handshake whether the other end may be there: its certificate is of the
 * co-operative, in time and not revoked, and names who is expected. Names and addresses of hosts
 * don't matter: nodes move.
 */
final class PeerTrust extends ChainTrust {
    private final X509Certificate authority;
    private final PeerRule rule;
    private final Predicate<NodeName> revoked;
    private final LongSupplier unixMillis;

    PeerTrust(
            X509Certificate authority,
            PeerRule rule,
            Predicate<NodeName> revoked,
            LongSupplier unixMillis) {
        this.authority = authority;
        this.rule = rule;
        this.revoked = revoked;
        this.unixMillis = unixMillis;
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        if (chain.length == 0) {
            throw new CertificateException("no certificate was shown");
        }
        X509Certificate leaf = chain[0];
        try {
            PKIXParameters parameters =
                    new PKIXParameters(Set.of(new TrustAnchor(authority, null)));
            parameters.setRevocationEnabled(false); // that goes by enrolments, see below
            parameters.setDate(Date.from(Instant.ofEpochMilli(unixMillis.getAsLong())));
            CertPathValidator.getInstance("PKIX")
                    .validate(
                            CertificateFactory.getInstance("X.509").generateCertPath(List.of(leaf)),
                            parameters);
        } catch (GeneralSecurityException e) {
            throw new CertificateException(
                    "the certificate is not one of this co-operative that is in time: "
                            + e.getMessage(),
                    e);
        }
        NodeName name =
                NodeName.of(leaf).orElseThrow(() -> new CertificateException("it names no node"));
        if (!rule.allows(name)) {
            throw new CertificateException("a %s was expected there, not %s".formatted(rule, name));
        }
        if (revoked.test(name)) {
            throw new CertificateException("the certificate of %s is revoked".formatted(name));
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
            throws CertificateException {
        check(chain);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[] {authority};
    }
}
