package coop.sahkar.coordinator.identity;

import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.state.Command.EnrolNode;
import coop.sahkar.coordinator.state.Encoded;
import coop.sahkar.coordinator.state.Membership;
import coop.sahkar.coordinator.state.NodeRecord;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.proto.tls.CertificateAuthority;
import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.Hosts;
import coop.sahkar.proto.tls.IdentityException;
import coop.sahkar.proto.tls.Joining;
import coop.sahkar.proto.tls.NodeFolder;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.Renewal;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.tls.Transport;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who a coordinator is. Without a certificate in its data folder it is nobody in particular, and
 * everything is sent in the open.
 */
public final class CoordinatorIdentity implements AutoCloseable {
    private final NodeFolder folder;
    private final @Nullable NodeTls tls;
    private final @Nullable CertificateAuthority authority;
    private final LongSupplier unixMillis;
    private @Nullable Renewal renewal;

    private CoordinatorIdentity(
            NodeFolder folder,
            @Nullable NodeTls tls,
            @Nullable CertificateAuthority authority,
            LongSupplier unixMillis) {
        this.folder = folder;
        this.tls = tls;
        this.authority = authority;
        this.unixMillis = unixMillis;
    }

    /**
     * Reads who the coordinator is.
     *
     * @param id what it is called; its certificate must say the same
     * @throws CoordinatorException in a sentence, if it is another's or cannot be read
     */
    public static CoordinatorIdentity read(Path data, String id, LongSupplier unixMillis) {
        NodeFolder folder = NodeFolder.in(data);
        try {
            Credentials credentials = folder.credentials().orElse(null);
            if (credentials == null) {
                return new CoordinatorIdentity(folder, null, null, unixMillis);
            }
            NodeName name = credentials.name();
            if (name.role() != Role.COORDINATOR || !name.id().equals(id)) {
                throw new CoordinatorException(
                        "the certificate in %s is that of %s, but this is coordinator %s: use its id, or join anew"
                                .formatted(folder.path(), name, id));
            }
            CertificateAuthority authority = folder.authority(new SecureRandom()).orElse(null);
            return new CoordinatorIdentity(
                    folder, new NodeTls(credentials, unixMillis), authority, unixMillis);
        } catch (IdentityException e) {
            throw new CoordinatorException(String.valueOf(e.getMessage()), e);
        }
    }

    /** How it speaks with others. */
    public Transport transport() {
        return tls == null ? Transport.OPEN : Transport.of(tls);
    }

    /** What makes members; empty where its key is not. */
    Optional<CertificateAuthority> authority() {
        return Optional.ofNullable(authority);
    }

    /** The log is there: takes over who is revoked, and says once who this coordinator is. */
    public void attach(ReplicatedLog log) {
        NodeTls own = tls;
        if (own == null) {
            return;
        }
        Runnable revoked =
                () -> own.revocations().replace(log.state().members().revoked().keySet());
        log.onChange(revoked);
        revoked.run();
        enrol(log, own.self());
    }

    /**
     * Sees from now on that the certificate stays in time.
     *
     * @param coordinators where all of them are reached, {@code host:port}
     */
    public void keepFresh(Supplier<List<String>> coordinators) {
        NodeTls own = tls;
        if (own != null) {
            renewal = Renewal.start(own, old -> renewed(old, coordinators.get()), unixMillis);
        }
    }

    private void enrol(ReplicatedLog log, NodeName self) {
        Membership members = log.state().members();
        if (members.nodes().containsKey(NodeRecord.key(self.role(), self.id()))) {
            return;
        }
        try {
            NodeRecord node =
                    new NodeRecord(
                            self.role(),
                            self.id(),
                            self.enrolment(),
                            new Encoded(folder.key().open()),
                            unixMillis.getAsLong());
            log.propose(new EnrolNode(node, ""))
                    .ifPresent(refusal -> {
                        throw new CoordinatorException(
                                "the co-operative does not take this coordinator in: "
                                        + refusal.message());
                    });
        } catch (IdentityException e) {
            throw new CoordinatorException(String.valueOf(e.getMessage()), e);
        }
    }

    private Credentials renewed(Credentials old, List<String> coordinators)
            throws IdentityException {
        List<String> hosts = Hosts.of(old.certificate());
        CertificateAuthority own = authority;
        if (own == null) {
            return new Joining(folder, unixMillis).renew(old, coordinators, hosts);
        }
        try {
            Credentials fresh = Founding.issue(own, old.name(), hosts, unixMillis.getAsLong());
            folder.keep(fresh, List.of());
            return fresh;
        } catch (GeneralSecurityException e) {
            throw new IdentityException(String.valueOf(e.getMessage()), e);
        }
    }

    @Override
    public void close() {
        if (renewal != null) {
            renewal.close();
        }
    }
}
