package coop.sahkar.worker.ring;

import coop.sahkar.proto.tls.CertificateAuthority;
import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Role;
import java.net.InetAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;

/** A co-operative for tests: its authority, and certificates of any kind. */
final class Coop {
    private static final long DAY = TimeUnit.DAYS.toMillis(1);
    private static final int PATIENCE_MILLIS = 20_000;

    private final CertificateAuthority authority;

    Coop() throws GeneralSecurityException {
        authority =
                CertificateAuthority.create("test", System.currentTimeMillis(), new SecureRandom());
    }

    /** A node whose certificate is in time. */
    NodeTls node(Role role, String id) throws GeneralSecurityException {
        return node(role, id, System.currentTimeMillis());
    }

    /** A node whose certificate was made at a time, for a day. */
    NodeTls node(Role role, String id, long madeAtMillis) throws GeneralSecurityException {
        KeyPair pair = Credentials.newKey();
        NodeName name = NodeName.of("test", role, id, pair.getPublic().getEncoded());
        return new NodeTls(
                Credentials.of(
                        pair.getPrivate(),
                        authority.issue(name, pair.getPublic(), List.of(), madeAtMillis, DAY),
                        authority.certificate()),
                System::currentTimeMillis);
    }

    /** A node whose certificate was good until yesterday. */
    NodeTls expired(Role role, String id) throws GeneralSecurityException {
        return node(role, id, System.currentTimeMillis() - 2 * DAY);
    }

    /** Dials a port of this machine with a certificate and shakes hands. */
    static SSLSocket dial(NodeTls as, int port, String... protocols) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                new KeyManager[] {as.keyManager()},
                new TrustManager[] {as.trust(PeerRule.MEMBER)},
                null);
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
        plain.setSoTimeout(PATIENCE_MILLIS);
        plain.setTcpNoDelay(true);
        SSLSocket socket =
                (SSLSocket) context.getSocketFactory().createSocket(plain, "localhost", port, true);
        if (protocols.length > 0) {
            socket.setEnabledProtocols(protocols);
        }
        socket.startHandshake();
        return socket;
    }
}
