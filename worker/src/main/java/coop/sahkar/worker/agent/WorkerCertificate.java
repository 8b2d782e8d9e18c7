package coop.sahkar.worker.agent;

import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.IdentityException;
import coop.sahkar.proto.tls.JoinToken;
import coop.sahkar.proto.tls.Joining;
import coop.sahkar.proto.tls.NodeFolder;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.Renewal;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.Revocations;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The worker's certificate: got with a token, kept in the data folder, renewed in time. Without one
 * the worker speaks in the open.
 */
final class WorkerCertificate implements AutoCloseable {
    private static final int MOST_COORDINATORS = 32;

    private final NodeFolder folder;
    private final @Nullable NodeTls tls;
    private final LongSupplier unixMillis;
    private final LinkedHashMap<String, List<Long>> said = new LinkedHashMap<>();
    private @Nullable Renewal renewal;

    private WorkerCertificate(NodeFolder folder, @Nullable NodeTls tls, LongSupplier unixMillis) {
        this.folder = folder;
        this.tls = tls;
        this.unixMillis = unixMillis;
    }

    /**
     * Reads it, or joins for it.
     *
     * @throws WorkerException in a sentence, if it is another's or cannot be had
     */
    static WorkerCertificate open(WorkerOptions options, String workerId, LongSupplier unixMillis)
            throws WorkerException {
        NodeFolder folder = NodeFolder.in(options.data());
        try {
            Credentials credentials = folder.credentials().orElse(null);
            JoinToken token = options.joining();
            boolean joined =
                    token != null && credentials != null && token.isFor(credentials.authority());
            if (token != null && !joined) {
                if (token.role() != Role.WORKER) {
                    throw new WorkerException(
                            "the token is for a %s, not for a worker"
                                    .formatted(token.role().word()));
                }
                credentials = new Joining(folder, unixMillis).join(token, workerId, List.of());
            }
            if (credentials == null) {
                return new WorkerCertificate(folder, null, unixMillis);
            }
            NodeName name = credentials.name();
            if (name.role() != Role.WORKER || !name.id().equals(workerId)) {
                throw new WorkerException(
                        "the certificate in %s is that of %s, but this is worker %s: use its name, or join anew"
                                .formatted(folder.path(), name, workerId));
            }
            return new WorkerCertificate(folder, new NodeTls(credentials, unixMillis), unixMillis);
        } catch (IdentityException e) {
            throw new WorkerException(String.valueOf(e.getMessage()), e);
        }
    }

    /** How the worker speaks with others. */
    Transport transport() {
        return tls == null ? Transport.OPEN : Transport.of(tls);
    }

    /** Sees that it stays in time. */
    void keep(Supplier<List<String>> coordinators) {
        NodeTls own = tls;
        if (own != null) {
            renewal =
                    Renewal.start(
                            own,
                            Renewal.from(new Joining(folder, unixMillis), coordinators),
                            unixMillis);
        }
    }

    /**
     * A coordinator says whose certificates count no more. One that is behind with the log takes
     * nothing back that another has said.
     */
    synchronized void revoked(String coordinator, Revocations revocations) {
        if (tls != null) {
            said.remove(coordinator);
            said.put(coordinator, revocations.getEnrolmentsList());
            if (said.size() > MOST_COORDINATORS) {
                said.pollFirstEntry();
            }
            tls.revocations().replace(said.values().stream().flatMap(List::stream).toList());
        }
    }

    @Override
    public void close() {
        if (renewal != null) {
            renewal.close();
        }
    }
}
