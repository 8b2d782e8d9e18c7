package coop.sahkar.proto.tls;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.function.LongSupplier;

/**
 * Trusts coordinators of a co-operative of which nothing but the fingerprint of its certificate is
 * known, as a token tells it. They show that certificate behind their own.
 */
final class PinnedTrust extends ChainTrust {
    private final byte[] fingerprint;
    private final LongSupplier unixMillis;

    PinnedTrust(byte[] fingerprint, LongSupplier unixMillis) {
        this.fingerprint = fingerprint.clone();
        this.unixMillis = unixMillis;
    }

    static byte[] fingerprint(X509Certificate authority) throws GeneralSecurityException {
        return MessageDigest.getInstance("SHA-256").digest(authority.getEncoded());
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        X509Certificate authority = chain[chain.length - 1];
        try {
            if (chain.length < 2 || !MessageDigest.isEqual(fingerprint, fingerprint(authority))) {
                throw new CertificateException(
                        "who answers there is not of the co-operative that the token is for");
            }
        } catch (GeneralSecurityException e) {
            throw new CertificateException(e);
        }
        new PeerTrust(authority, PeerRule.COORDINATOR, _ -> false, unixMillis)
                .checkServerTrusted(new X509Certificate[] {chain[0]}, "");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
            throws CertificateException {
        throw new CertificateException("nobody is served with a token");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
            throws CertificateException {
        check(chain);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
