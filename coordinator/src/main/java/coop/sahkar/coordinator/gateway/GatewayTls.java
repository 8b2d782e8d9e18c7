package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.util.TlsEngineType;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.coordinator.identity.MembersService;
import coop.sahkar.proto.tls.HalfOpen;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.PeerGate;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.v1.AccountsGrpc;
import coop.sahkar.proto.v1.ClusterGrpc;
import coop.sahkar.proto.v1.GenerationGrpc;
import coop.sahkar.proto.v1.IdentityGrpc;
import coop.sahkar.proto.v1.LedgerGrpc;
import coop.sahkar.proto.v1.LimitsGrpc;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.PoolGrpc;
import coop.sahkar.proto.v1.RelayGrpc;
import coop.sahkar.proto.v1.RoutesGrpc;
import coop.sahkar.proto.v1.WorkerControlGrpc;
import io.netty.handler.ssl.ClientAuth;
import java.security.KeyStore;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.KeyManagerFactorySpi;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * The gateway's port, encrypted. Users show no certificate, and what they may call is open; what is
 * for nodes is for nodes with the right one.
 */
final class GatewayTls {
    private static final PeerRule PUBLISHERS = PeerRule.any(Role.CLIENT, Role.COORDINATOR);

    private GatewayTls() {}

    /** Has a server show the coordinator's certificate, and look at those that are shown to it. */
    static void encrypt(ServerBuilder builder, NodeTls tls, Runnable onRefusal) {
        HalfOpen halfOpen = new HalfOpen();
        builder.childChannelPipelineCustomizer(
                pipeline -> pipeline.addLast(new HalfOpenGate(halfOpen, onRefusal)));
        builder.tls(new OneKey(tls.keyManager()))
                .tlsEngineType(TlsEngineType.JDK)
                .tlsCustomizer(context ->
                        context.trustManager(tls.trust(PeerRule.MEMBER))
                                .clientAuth(ClientAuth.OPTIONAL)
                                .protocols(NodeTls.PROTOCOL)
                                .sessionTimeout(1)); // who resumes is not looked at again
    }

    /** Who may call what. What is not named is for coordinators. */
    static PeerGate gate(NodeTls tls, Runnable onRefusal) {
        return new PeerGate(
                tls,
                _ -> session(),
                Map.ofEntries(
                        Map.entry(WorkerControlGrpc.SERVICE_NAME, PeerRule.WORKER),
                        Map.entry(RelayGrpc.SERVICE_NAME, PeerRule.WORKER),
                        Map.entry(RoutesGrpc.SERVICE_NAME, PeerRule.WORKER),
                        Map.entry(ModelsGrpc.getPublishMethod().getFullMethodName(), PUBLISHERS),
                        Map.entry(
                                ModelsGrpc.getGetManifestMethod().getFullMethodName(),
                                PeerRule.MEMBER),
                        Map.entry(LimitsGrpc.SERVICE_NAME, PeerRule.COORDINATOR),
                        Map.entry(ClusterGrpc.SERVICE_NAME, PeerRule.COORDINATOR),
                        Map.entry(IdentityGrpc.SERVICE_NAME, PeerRule.COORDINATOR)),
                Set.of(
                        GenerationGrpc.SERVICE_NAME,
                        PoolGrpc.SERVICE_NAME,
                        LedgerGrpc.SERVICE_NAME,
                        AccountsGrpc.SERVICE_NAME, // asks for an operator's key itself
                        ClusterGrpc.getGroupMethod().getFullMethodName(),
                        ModelsGrpc.getListMethod().getFullMethodName(),
                        IdentityGrpc.getJoinMethod().getFullMethodName(),
                        IdentityGrpc.getRenewMethod().getFullMethodName()),
                PeerRule.COORDINATOR,
                onRefusal);
    }

    private static @Nullable SSLSession session() {
        ServiceRequestContext context = ServiceRequestContext.currentOrNull();
        return context == null ? null : context.sslSession();
    }

    /** Bytes of a whole request; 0 for no limit, as for streams of nodes. */
    static long maxRequestLength(String path) {
        return path.startsWith("/" + IdentityGrpc.SERVICE_NAME + "/")
                ? MembersService.MAX_REQUEST_BYTES
                : 0;
    }

    /** One key manager as the factory that the server asks for. */
    private static final class OneKey extends KeyManagerFactory {
        OneKey(KeyManager manager) {
            super(new One(manager), null, "one");
        }
    }

    private static final class One extends KeyManagerFactorySpi {
        private final KeyManager manager;

        One(KeyManager manager) {
            this.manager = manager;
        }

        @Override
        protected void engineInit(@Nullable KeyStore store, char @Nullable [] password) {}

        @Override
        protected void engineInit(@Nullable ManagerFactoryParameters parameters) {}

        @Override
        protected KeyManager[] engineGetKeyManagers() {
            return new KeyManager[] {manager};
        }
    }
}
