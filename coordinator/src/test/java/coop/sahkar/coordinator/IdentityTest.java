package coop.sahkar.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.gateway.Gateway;
import coop.sahkar.coordinator.gateway.GatewayOptions;
import coop.sahkar.coordinator.identity.CoordinatorIdentity;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.IdentityException;
import coop.sahkar.proto.tls.JoinToken;
import coop.sahkar.proto.tls.NodeFolder;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.IdentityGrpc;
import coop.sahkar.proto.v1.ListNodesReply;
import coop.sahkar.proto.v1.ListNodesRequest;
import coop.sahkar.proto.v1.NodeReference;
import coop.sahkar.proto.v1.PoolGrpc;
import coop.sahkar.proto.v1.PoolStatusRequest;
import coop.sahkar.proto.v1.ProblemCode;
import coop.sahkar.proto.v1.TokenRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.Test;

/** A coordinator with certificates, who joins it, and who would like to. */
class IdentityTest extends FoundedTest {
    private static final int MANY = 48;
    private static final int STRANGERS = 2_000;

    @Test
    void aTokenLetsInAsManyAsItSays() throws Exception {
        JoinToken token = token(Role.WORKER, 2);
        Credentials first = joining("a").join(token, "w1", List.of());
        assertThat(first.name().role()).isEqualTo(Role.WORKER);
        assertThat(first.name().coop()).isEqualTo("forest");
        joining("b").join(token, "w2", List.of());
        assertThatThrownBy(() -> joining("c").join(token, "w3", List.of()))
                .isInstanceOf(IdentityException.class)
                .hasMessageContaining("used up");
        ListNodesReply list = identity(operator).list(ListNodesRequest.getDefaultInstance());
        assertThat(list.getNodesList())
                .extracting(node -> node.getNode().getId())
                .containsExactly("c1", "w1", "w2");
        assertThat(list.getTokensList()).isEmpty();
    }

    @Test
    void whatANodeKeepsNobodyElseCanRead() throws Exception {
        joined("w1");
        try (Stream<Path> files = Files.walk(directory.resolve("w1/tls"))) {
            assertThat(files.filter(f -> f.toString().matches(".*(node-key|credentials.pem)")))
                    .hasSize(2)
                    .allSatisfy(f ->
                            assertThat(Files.getPosixFilePermissions(f))
                                    .isEqualTo(
                                            Set.of(
                                                    PosixFilePermission.OWNER_READ,
                                                    PosixFilePermission.OWNER_WRITE)));
        }
        assertThat(Files.getPosixFilePermissions(data.resolve("tls")))
                .doesNotContain(PosixFilePermission.OTHERS_EXECUTE, PosixFilePermission.GROUP_READ);
        assertThat(Files.getPosixFilePermissions(data.resolve("tls/authority.pem")))
                .doesNotContain(PosixFilePermission.OTHERS_READ, PosixFilePermission.GROUP_READ);
    }

    @Test
    void aTokenForOneKindIsNoneForAnother() {
        JoinToken token = token(Role.CLIENT, 1);
        JoinToken bent =
                new JoinToken(
                        token.coordinators(),
                        token.fingerprint(),
                        token.secret(),
                        Role.COORDINATOR);
        assertThatThrownBy(() -> joining("x").join(bent, "c2", List.of()))
                .hasMessageContaining("is for a client");
    }

    @Test
    void aGuessedTokenIsRefusedAndWritesNothing() {
        JoinToken token = token(Role.WORKER, 1);
        JoinToken guessed =
                new JoinToken(
                        token.coordinators(),
                        token.fingerprint(),
                        new byte[JoinToken.SECRET_BYTES],
                        Role.WORKER);
        int recent = coordinator.pool().state().recent().size();
        assertThatThrownBy(() -> joining("x").join(guessed, "w1", List.of()))
                .hasMessageContaining("not known here");
        assertThat(coordinator.pool().state().recent()).hasSize(recent);
    }

    @Test
    void aCoordinatorOfAnotherCooperativeGetsNoToken() {
        JoinToken token = token(Role.WORKER, 1);
        JoinToken elsewhere =
                new JoinToken(token.coordinators(), new byte[32], token.secret(), Role.WORKER);
        assertThatThrownBy(() -> joining("x").join(elsewhere, "w1", List.of()))
                .hasMessageContaining("not of the co-operative");
        assertThat(identity(operator).list(ListNodesRequest.getDefaultInstance()).getTokensList())
                .hasSize(1);
    }

    @Test
    void anIdBelongsToWhoHadItFirst() throws Exception {
        joined("w1");
        assertThatThrownBy(() -> joining("other").join(token(Role.WORKER, 1), "w1", List.of()))
                .hasMessageContaining("another node is worker w1");
    }

    @Test
    void workersAttachWithTheirOwnCertificateOnly() throws Exception {
        Transport w1 = joined("w1");
        FakeWorker honest = new FakeWorker(channel(w1), "w1");
        await().atMost(PATIENCE).until(() -> honest.heard.stream().anyMatch(m -> m.hasWelcome()));
        FakeWorker liar = new FakeWorker(channel(w1), "w2");
        await().atMost(PATIENCE).until(() -> liar.ended);
        assertThat(liar.heard).hasSize(1);
        assertThat(liar.heard.getFirst().getRefused().getCode())
                .isEqualTo(ProblemCode.PROBLEM_CODE_UNAUTHORIZED);
        FakeWorker stranger = new FakeWorker(channel(user()), "w3");
        FakeWorker publisher =
                new FakeWorker(
                        channel(
                                transport(
                                        joining("p").join(token(Role.CLIENT, 1), "w4", List.of()))),
                        "w4");
        await().atMost(PATIENCE).until(() -> stranger.ended && publisher.ended);
        assertThat(stranger.heard).isEmpty();
        assertThat(publisher.heard).isEmpty();
        assertThat(honest.ended).isFalse();
    }

    @Test
    void usersNeedNoCertificateForWhatIsTheirs() throws IOException {
        ManagedChannel channel = channel(user());
        assertThat(
                        PoolGrpc.newBlockingStub(channel)
                                .status(PoolStatusRequest.getDefaultInstance())
                                .getCoordinatorId())
                .isEqualTo("c1");
        assertThatThrownBy(() ->
                        IdentityGrpc.newBlockingStub(channel)
                                .list(ListNodesRequest.getDefaultInstance()))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e ->
                                assertThat(e.getStatus().getCode())
                                        .isEqualTo(Status.Code.UNAUTHENTICATED));
    }

    @Test
    void aWorkerMakesNoTokens() throws Exception {
        Transport w1 = joined("w1");
        assertThatThrownBy(() ->
                        identity(w1)
                                .issueToken(
                                        TokenRequest.newBuilder()
                                                .setRole(Role.WORKER.toWire())
                                                .setUses(1)
                                                .setMinutes(1)
                                                .build()))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e ->
                                assertThat(e.getStatus().getCode())
                                        .isEqualTo(Status.Code.PERMISSION_DENIED));
    }

    @Test
    void aRevokedWorkerIsSentAwayAndOthersHearOfIt() throws Exception {
        Transport w1 = joined("w1");
        Credentials revoked = w1.tls().orElseThrow().credentials();
        FakeWorker worker = new FakeWorker(channel(w1), "w1");
        FakeWorker other = new FakeWorker(channel(joined("w2")), "w2");
        await().atMost(PATIENCE).until(() -> worker.heard.stream().anyMatch(m -> m.hasWelcome()));
        await().atMost(PATIENCE).until(() -> other.heard.stream().anyMatch(m -> m.hasWelcome()));
        var _ =
                identity(operator)
                        .revoke(
                                NodeReference.newBuilder()
                                        .setRole(Role.WORKER.toWire())
                                        .setId("w1")
                                        .build());
        await().atMost(PATIENCE).until(() -> worker.ended);
        await().atMost(PATIENCE)
                .until(() ->
                        other.heard.stream()
                                .anyMatch(m ->
                                        m.getRevocations()
                                                .getEnrolmentsList()
                                                .contains(revoked.name().enrolment())));
        FakeWorker again = new FakeWorker(channel(w1), "w1");
        await().atMost(PATIENCE).until(() -> again.ended);
        assertThat(again.heard).isEmpty();
        assertThatThrownBy(() ->
                        joining("w1")
                                .renew(revoked, token(Role.WORKER, 1).coordinators(), List.of()))
                .hasMessageContaining("does not belong");
        assertThatThrownBy(() -> joining("w1").join(token(Role.WORKER, 1), "w1", List.of()))
                .hasMessageContaining("was revoked");
        joining("new-key").join(token(Role.WORKER, 1), "w1", List.of());
    }

    @Test
    void aCertificateIsRenewedWithTheSameName() throws Exception {
        JoinToken token = token(Role.WORKER, 1);
        Credentials old = joining("w1").join(token, "w1", List.of());
        Credentials fresh = joining("w1").renew(old, token.coordinators(), List.of());
        assertThat(fresh.name()).isEqualTo(old.name());
        assertThat(fresh.certificate().getSerialNumber())
                .isNotEqualTo(old.certificate().getSerialNumber());
        assertThat(NodeFolder.in(directory.resolve("w1")).credentials().orElseThrow().certificate())
                .isEqualTo(fresh.certificate());
        FakeWorker worker = new FakeWorker(channel(transport(fresh)), "w1");
        await().atMost(PATIENCE).until(() -> worker.heard.stream().anyMatch(m -> m.hasWelcome()));
    }

    private SSLSocket dial(String protocol) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                null,
                new TrustManager[] {operator.tls().orElseThrow().trust(PeerRule.COORDINATOR)},
                null);
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), gateway.port());
        plain.setSoTimeout((int) PATIENCE.toMillis());
        SSLSocket socket =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(plain, "127.0.0.1", gateway.port(), true);
        socket.setEnabledProtocols(new String[] {protocol});
        return socket;
    }

    @Test
    void olderProtocolsAndPlainTextAreRefused() throws Exception {
        try (SSLSocket socket = dial("TLSv1.2")) {
            assertThatThrownBy(socket::startHandshake).isInstanceOf(IOException.class);
        }
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway.port())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.getOutputStream()
                    .write(
                            "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(said(socket), StandardCharsets.US_ASCII)).doesNotContain("200");
        }
        try (SSLSocket socket = dial("TLSv1.3")) {
            socket.startHandshake();
        }
    }

    /** What is said until the other end hangs up. */
    private static byte[] said(Socket socket) throws IOException {
        try (InputStream in = socket.getInputStream()) {
            return in.readAllBytes();
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException reset) {
            return new byte[0];
        }
    }

    @Test
    void manyJoinAtOnce() throws Exception {
        JoinToken token = token(Role.WORKER, MANY);
        List<CompletableFuture<Credentials>> joining = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(MANY)) {
            for (int i = 0; i < MANY; i++) {
                String id = "w" + i;
                joining.add(CompletableFuture.supplyAsync(() -> certified(token, id), threads));
            }
        }
        assertThat(joining).allSatisfy(one -> assertThat(one).isCompleted());
        assertThat(coordinator.pool().state().members().nodes()).hasSize(MANY + 1);
    }

    private Credentials certified(JoinToken token, String id) {
        try {
            return joining(id).join(token, id, List.of());
        } catch (IdentityException e) {
            throw new CompletionException(e);
        }
    }

    /**
     * What strangers send and then nothing more: nothing, half a greeting, one that claims much.
     */
    private static final List<byte[]> BEGINNINGS =
            List.of(
                    new byte[0],
                    HexFormat.of().parseHex("1603010200010001fc0303" + "00".repeat(40)),
                    HexFormat.of().parseHex("160301400001ffffff0303" + "00".repeat(40)));

    @Test
    void manyHalfOpenConnectionsHoldNobodyUp() throws Exception {
        FakeWorker worker = new FakeWorker(channel(joined("w1")), "w1");
        await().atMost(PATIENCE).until(() -> worker.heard.stream().anyMatch(m -> m.hasWelcome()));
        List<Socket> strangers = new ArrayList<>();
        try {
            for (int i = 0; i < STRANGERS; i++) {
                strangers.add(stranger(BEGINNINGS.get(i % BEGINNINGS.size())));
            }
            assertThat(
                            PoolGrpc.newBlockingStub(channels.getFirst())
                                    .status(PoolStatusRequest.getDefaultInstance())
                                    .getCoordinatorId())
                    .isEqualTo("c1");
            for (Socket stranger : strangers) {
                assertThat(said(stranger).length).isLessThan(64);
            }
        } finally {
            for (Socket stranger : strangers) {
                stranger.close();
            }
        }
        assertThat(worker.ended).isFalse();
        assertThat(joined("w2").tls()).isPresent();
    }

    private Socket stranger(byte[] begins) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway.port());
        socket.setSoTimeout((int) PATIENCE.toMillis());
        try {
            socket.getOutputStream().write(begins);
        } catch (IOException _) {
            // hung up on: there was no room
        }
        return socket;
    }

    @Test
    void aHugeRequestToJoinIsRefused() throws Exception {
        String huge = "x".repeat(1 << 20);
        assertThatThrownBy(() -> joining("x").join(token(Role.WORKER, 1), "w1", List.of(huge)))
                .isInstanceOf(IdentityException.class);
        assertThat(Limits.MAX_WORKER_ID).isLessThan(huge.length());
    }

    @Test
    void aTokenTellsItsSecretToNobodyWhoPrintsIt() {
        JoinToken token = token(Role.WORKER, 1);
        assertThat(token.toString())
                .isEqualTo("a token for a worker at " + token.coordinators().getFirst());
        assertThatThrownBy(() -> JoinToken.parse(token.text().substring(0, 60)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining(token.text().substring(20, 60));
    }

    @Test
    void theCoordinatorsFolderIsForItsOwnIdOnly() {
        gateway.close();
        coordinator.close();
        assertThatThrownBy(() -> CoordinatorIdentity.read(data, "c2", System::currentTimeMillis))
                .isInstanceOf(CoordinatorException.class)
                .hasMessageContaining("that of coordinator c1");
        coordinator = Coordinator.start(CoordinatorOptions.single("c1", data));
        gateway = Gateway.start(coordinator, GatewayOptions.defaults().at("127.0.0.1", 0));
        assertThat(coordinator.pool().state().members().nodes()).hasSize(1);
    }
}
