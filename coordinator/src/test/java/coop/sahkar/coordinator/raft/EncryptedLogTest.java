package coop.sahkar.coordinator.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.proto.tls.CertificateAuthority;
import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.tls.Transport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three coordinators whose log is encrypted, and who may not speak there. */
class EncryptedLogTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long DAY = Duration.ofDays(1).toMillis();

    private final AtomicLong ids = new AtomicLong();
    private final List<RatisLog> nodes = new ArrayList<>();
    private final List<RaftNode.Address> addresses = new ArrayList<>();
    private CertificateAuthority authority;

    @TempDir Path directory;

    @BeforeEach
    void start() throws Exception {
        authority = authority();
        for (String id : List.of("c1", "c2", "c3")) {
            addresses.add(new RaftNode.Address(id, "127.0.0.1", RatisLogTest.freePort()));
        }
        List<CompletableFuture<RatisLog>> starting = new ArrayList<>();
        for (RaftNode.Address self : addresses) {
            Transport own = Transport.of(node(authority, Role.COORDINATOR, self.id()));
            starting.add(CompletableFuture.supplyAsync(() -> start(self, own)));
        }
        starting.forEach(log -> nodes.add(log.join()));
    }

    @AfterEach
    void stop() {
        nodes.forEach(RatisLog::close);
    }

    private static CertificateAuthority authority() throws GeneralSecurityException {
        return CertificateAuthority.create("test", System.currentTimeMillis(), new SecureRandom());
    }

    private static NodeTls node(CertificateAuthority by, Role role, String id)
            throws GeneralSecurityException {
        KeyPair pair = Credentials.newKey();
        NodeName name = NodeName.of("test", role, id, pair.getPublic().getEncoded());
        return new NodeTls(
                Credentials.of(
                        pair.getPrivate(),
                        by.issue(
                                name, pair.getPublic(), List.of(), System.currentTimeMillis(), DAY),
                        by.certificate()),
                System::currentTimeMillis);
    }

    private RatisLog start(RaftNode.Address self, Transport transport) {
        return RatisLog.start(
                new RaftNode(RaftNode.UNNAMED, self, addresses, false),
                directory.resolve(self.id()),
                () -> new CommandId(3, ids.incrementAndGet()),
                30_000,
                transport);
    }

    @Test
    void coordinatorsAgreeAndStrangersAreRefused() throws Exception {
        agree("w1");
        refused(node(authority(), Role.COORDINATOR, "c1"), "TLSv1.3");
        refused(node(authority, Role.WORKER, "c1"), "TLSv1.3");
        refused(node(authority, Role.COORDINATOR, "c9"), "TLSv1.2");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.getOutputStream()
                    .write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(socket.getInputStream().readNBytes(64).length).isLessThan(64);
        }
        agree("w2");
        try (SSLSocket socket = dial(node(authority, Role.COORDINATOR, "c9"), "TLSv1.3")) {
            assertThat(socket.getInputStream().read()).isGreaterThanOrEqualTo(0);
        }
    }

    private int port() {
        return addresses.getFirst().port();
    }

    private void agree(String worker) {
        assertThat(nodes.getFirst().propose(new RegisterWorker(Fixtures.worker(worker, 1, 1))))
                .isEmpty();
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(nodes)
                                .allSatisfy(log ->
                                        assertThat(log.state().workers()).containsKey(worker)));
    }

    private void refused(NodeTls as, String protocol) {
        assertThatThrownBy(
                        () -> {
                            try (SSLSocket socket = dial(as, protocol)) {
                                if (socket.getInputStream().read() >= 0) {
                                    return;
                                }
                                throw new IOException("hung up");
                            }
                        })
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(SocketTimeoutException.class);
    }

    private SSLSocket dial(NodeTls as, String protocol) throws Exception {
        NodeTls trusting = node(authority, Role.COORDINATOR, "trusting");
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                new KeyManager[] {as.keyManager()},
                new TrustManager[] {trusting.trust(PeerRule.COORDINATOR)},
                null);
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port());
        plain.setSoTimeout((int) PATIENCE.toMillis());
        SSLSocket socket =
                (SSLSocket)
                        context.getSocketFactory().createSocket(plain, "127.0.0.1", port(), true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setProtocols(new String[] {protocol});
        parameters.setApplicationProtocols(new String[] {"h2"});
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }
}
