package coop.sahkar.coordinator;

import coop.sahkar.coordinator.gateway.Gateway;
import coop.sahkar.coordinator.gateway.GatewayOptions;
import coop.sahkar.coordinator.identity.Founding;
import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.IdentityException;
import coop.sahkar.proto.tls.JoinToken;
import coop.sahkar.proto.tls.Joining;
import coop.sahkar.proto.tls.NodeFolder;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.IdentityGrpc;
import coop.sahkar.proto.v1.TokenReply;
import coop.sahkar.proto.v1.TokenRequest;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A co-operative with one coordinator, and what its operator and its nodes ask with. */
abstract class FoundedTest {
    static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir Path directory;
    final List<ManagedChannel> channels = new ArrayList<>();
    Coordinator coordinator;
    Gateway gateway;
    Transport operator;
    Path data;

    @BeforeEach
    void start() throws Exception {
        data = directory.resolve("c1");
        NodeFolder folder =
                Founding.found(
                        data, "forest", "c1", List.of("127.0.0.1"), System.currentTimeMillis());
        operator = transport(folder.credentials().orElseThrow());
        coordinator = Coordinator.start(CoordinatorOptions.single("c1", data));
        gateway = Gateway.start(coordinator, GatewayOptions.defaults().at("127.0.0.1", 0));
    }

    @AfterEach
    void stop() {
        channels.forEach(ManagedChannel::shutdownNow);
        gateway.close();
        coordinator.close();
    }

    static Transport transport(Credentials credentials) {
        return Transport.of(new NodeTls(credentials, System::currentTimeMillis));
    }

    ManagedChannel channel(Transport as) {
        ManagedChannel made = as.to("127.0.0.1:" + gateway.port(), PeerRule.COORDINATOR).build();
        channels.add(made);
        return made;
    }

    IdentityGrpc.IdentityBlockingStub identity(Transport as) {
        return IdentityGrpc.newBlockingStub(channel(as));
    }

    JoinToken token(Role role, int uses) {
        TokenReply reply =
                identity(operator)
                        .issueToken(
                                TokenRequest.newBuilder()
                                        .setRole(role.toWire())
                                        .setUses(uses)
                                        .setMinutes(1)
                                        .build());
        return JoinToken.parse(
                JoinToken.of(
                                List.of("127.0.0.1:" + gateway.port()),
                                operator.tls().orElseThrow().credentials().authority(),
                                reply.getSecret().toByteArray(),
                                role)
                        .text());
    }

    Joining joining(String folder) {
        return new Joining(NodeFolder.in(directory.resolve(folder)), System::currentTimeMillis);
    }

    Transport joined(String id) throws IdentityException {
        return transport(joining(id).join(token(Role.WORKER, 1), id, List.of()));
    }

    Transport user() throws IOException {
        return Transport.trusting(data.resolve("tls/ca.pem"));
    }
}
