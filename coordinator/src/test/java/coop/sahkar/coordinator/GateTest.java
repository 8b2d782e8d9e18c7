package coop.sahkar.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.tls.CertificateAuthority;
import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.NodeFolder;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.AccountsGrpc;
import coop.sahkar.proto.v1.GenerationGrpc;
import coop.sahkar.proto.v1.GetManifestRequest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.NodeReference;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.Test;

/** Every method of a gateway with certificates, tried by every kind of caller; and bad papers. */
class GateTest extends FoundedTest {
    private static final int CALL_SECONDS = 10;
    private static final long DAY_MILLIS = TimeUnit.DAYS.toMillis(1);
    private static final String[] FOR_ALL = {
        "Accounts/CreateKey",
        "Accounts/GetPolicy",
        "Accounts/GiveNotice",
        "Accounts/ListKeys",
        "Accounts/RevokeKey",
        "Accounts/SetPolicy",
        "Accounts/Usage",
        "Cluster/Group",
        "Generation/CountTokens",
        "Generation/Generate",
        "Identity/Join",
        "Identity/Renew",
        "Ledger/Read",
        "Models/List",
        "Pool/Status"
    };

    private static final MethodDescriptor.Marshaller<byte[]> BYTES =
            new MethodDescriptor.Marshaller<>() {
                @Override
                public InputStream stream(byte[] value) {
                    return new ByteArrayInputStream(value);
                }

                @Override
                public byte[] parse(InputStream stream) {
                    return new byte[0];
                }
            };

    @Test
    void whoMayCallWhat() throws Exception {
        Transport publisher = transport(joining("p").join(token(Role.CLIENT, 1), "p", List.of()));
        assertThat(letThrough(user())).containsExactly(FOR_ALL);
        assertThat(letThrough(joined("w1")))
                .containsExactlyElementsOf(
                        and(
                                "Models/GetManifest",
                                "Relay/Attach",
                                "Relay/Carry",
                                "Routes/Repair",
                                "WorkerControl/Attach"));
        assertThat(letThrough(publisher))
                .containsExactlyElementsOf(and("Models/GetManifest", "Models/Publish"));
    }

    private static SortedSet<String> and(String... more) {
        SortedSet<String> all = new TreeSet<>(List.of(FOR_ALL));
        all.addAll(List.of(more));
        return all;
    }

    /** What the gate lets through, whatever is said behind it about an empty request. */
    private SortedSet<String> letThrough(Transport as) {
        ManagedChannel channel = channel(as);
        Map<String, CompletableFuture<Status>> answers = new LinkedHashMap<>();
        Stream<ServiceDescriptor> services =
                Stream.concat(
                        coordinator.services().stream()
                                .map(s -> s.bindService().getServiceDescriptor()),
                        Stream.of(
                                GenerationGrpc.getServiceDescriptor(),
                                AccountsGrpc.getServiceDescriptor()));
        services.flatMap(service -> service.getMethods().stream())
                .forEach(method -> answers.put(method.getFullMethodName(), call(channel, method)));
        assertThat(answers).hasSizeGreaterThan(25);
        SortedSet<String> through = new TreeSet<>();
        answers.forEach((name, answer) -> {
            if (!refusedAtTheGate(answer.join())) {
                through.add(name.substring("sahkar.v1.".length()));
            }
        });
        return through;
    }

    private static boolean refusedAtTheGate(Status status) {
        String said = String.valueOf(status.getDescription());
        return switch (status.getCode()) {
            case UNAUTHENTICATED -> said.contains("takes a certificate");
            case PERMISSION_DENIED -> said.startsWith("this is for a ");
            default -> false;
        };
    }

    private static CompletableFuture<Status> call(
            ManagedChannel channel, MethodDescriptor<?, ?> method) {
        CompletableFuture<Status> answer = new CompletableFuture<>();
        ClientCall<byte[], byte[]> call =
                channel.newCall(
                        method.toBuilder(BYTES, BYTES).build(),
                        CallOptions.DEFAULT.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS));
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(byte[] message) {
                        answer.complete(Status.OK);
                        call.cancel("that is enough", null);
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        answer.complete(status);
                    }
                },
                new Metadata());
        call.request(1);
        call.sendMessage(new byte[0]);
        call.halfClose();
        return answer;
    }

    /** What a worker has whose certificate was made at some time, for a day. */
    private static Credentials worker(CertificateAuthority authority, long madeAtMillis)
            throws Exception {
        KeyPair pair = Credentials.newKey();
        NodeName name = NodeName.of("forest", Role.WORKER, "w9", pair.getPublic().getEncoded());
        var certificate =
                authority.issue(name, pair.getPublic(), List.of(), madeAtMillis, DAY_MILLIS);
        return Credentials.of(pair.getPrivate(), certificate, authority.certificate());
    }

    /** What the gateway says over TLS to who shows a certificate and asks whether it lives. */
    private String greeted(Credentials as) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                new KeyManager[] {new NodeTls(as, System::currentTimeMillis).keyManager()},
                new TrustManager[] {operator.tls().orElseThrow().trust(PeerRule.COORDINATOR)},
                null);
        try (Socket plain = new Socket(InetAddress.getLoopbackAddress(), gateway.port());
                Socket socket =
                        context.getSocketFactory()
                                .createSocket(plain, "127.0.0.1", gateway.port(), true)) {
            plain.setSoTimeout((int) PATIENCE.toMillis());
            socket.getOutputStream()
                    .write(
                            "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        } catch (SSLException | SocketException refused) {
            return "";
        }
    }

    private static Status.Code asked(ManagedChannel channel) {
        try {
            var _ =
                    ModelsGrpc.newBlockingStub(channel)
                            .withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                            .getManifest(GetManifestRequest.getDefaultInstance());
            return Status.Code.OK;
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        }
    }

    @Test
    void badPapersAreWorthNothing() throws Exception {
        long now = System.currentTimeMillis();
        CertificateAuthority own = NodeFolder.in(data).authority(new SecureRandom()).orElseThrow();
        CertificateAuthority other = CertificateAuthority.create("forest", now, new SecureRandom());
        assertThat(greeted(worker(own, now))).startsWith("HTTP/1.1 200");
        assertThat(greeted(worker(other, now))).isEmpty();
        assertThat(greeted(worker(own, now - 2 * DAY_MILLIS))).isEmpty();
        assertThat(greeted(worker(own, now + 2 * DAY_MILLIS))).isEmpty();
        Transport w1 = joined("w1");
        NodeReference node =
                NodeReference.newBuilder().setRole(Role.WORKER.toWire()).setId("w1").build();
        ManagedChannel standing = channel(w1);
        assertThat(asked(standing)).isEqualTo(Status.Code.NOT_FOUND);
        var _ = identity(operator).revoke(node);
        await().atMost(PATIENCE).until(() -> asked(standing) == Status.Code.UNAUTHENTICATED);
        assertThat(greeted(w1.tls().orElseThrow().credentials())).isEmpty();
        assertThat(greeted(worker(own, now))).startsWith("HTTP/1.1 200");
    }
}
