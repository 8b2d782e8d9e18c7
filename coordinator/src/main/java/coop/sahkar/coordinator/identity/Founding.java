package coop.sahkar.coordinator.identity;

import coop.sahkar.proto.tls.CertificateAuthority;
import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.IdentityException;
import coop.sahkar.proto.tls.NodeFolder;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.tls.Role;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.util.List;

/** Makes a co-operative's authority and the certificate of its first coordinator. */
public final class Founding {
    private Founding() {}

    /**
     * Makes both in the coordinator's data folder. Whoever has that folder can make members.
     *
     * @param coop the co-operative's name
     * @param id the coordinator's id
     * @param hosts names and addresses that users reach the coordinator under
     * @return the folder they are in
     * @throws IdentityException in a sentence, if there is an authority already
     */
    public static NodeFolder found(
            Path data, String coop, String id, List<String> hosts, long nowMillis)
            throws IdentityException {
        SecureRandom random = new SecureRandom();
        NodeFolder folder = NodeFolder.in(data);
        if (folder.credentials().isPresent()) {
            throw new IdentityException(
                    "%s holds a certificate already; remove that folder only if nobody is to be let in with it any more"
                            .formatted(folder.path()));
        }
        try {
            NodeName name = NodeName.of(coop, Role.COORDINATOR, id, folder.key().open());
            CertificateAuthority authority = CertificateAuthority.create(coop, nowMillis, random);
            folder.keep(authority);
            folder.keep(issue(authority, name, hosts, nowMillis), List.of());
            return folder;
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IdentityException(String.valueOf(e.getMessage()), e);
        }
    }

    /** A certificate with a new key. */
    static Credentials issue(
            CertificateAuthority authority, NodeName name, List<String> hosts, long nowMillis)
            throws GeneralSecurityException {
        KeyPair pair = Credentials.newKey();
        return Credentials.of(
                pair.getPrivate(),
                authority.issue(
                        name,
                        pair.getPublic(),
                        hosts,
                        nowMillis,
                        CertificateAuthority.USUAL_LIFETIME_MILLIS),
                authority.certificate());
    }
}
