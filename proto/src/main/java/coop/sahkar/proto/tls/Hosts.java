package coop.sahkar.proto.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;

/** The names and addresses of hosts that stand in a certificate, for browsers and tools. */
public final class Hosts {
    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;

    private Hosts() {}

    /** All of them. */
    public static List<String> of(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            return names == null
                    ? List.of()
                    : names.stream()
                            .filter(n ->
                                    n.getFirst().equals(DNS_NAME)
                                            || n.getFirst().equals(IP_ADDRESS))
                            .map(n -> String.valueOf(n.getLast()))
                            .toList();
        } catch (CertificateParsingException e) {
            return List.of();
        }
    }
}
