package coop.sahkar.coordinator.raft;

import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.thirdparty.io.grpc.netty.GrpcSslContexts;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.ClientAuth;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslContext;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslContextBuilder;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslProvider;

/** Encrypts the log's links: only coordinators of the co-operative speak there. */
final class RaftTls {
    private RaftTls() {}

    static Parameters parameters(Transport transport) {
        Parameters parameters = new Parameters();
        transport.tls().ifPresent(tls -> encrypt(parameters, tls));
        return parameters;
    }

    private static void encrypt(Parameters parameters, NodeTls tls) {
        GrpcTlsConfig both =
                new GrpcTlsConfig(tls.keyManager(), tls.trust(PeerRule.COORDINATOR), true);
        GrpcConfigKeys.TLS.setConf(parameters, both);
        GrpcConfigKeys.Server.setTlsConf(parameters, both);
        GrpcConfigKeys.Client.setTlsConf(parameters, both);
        GrpcConfigKeys.Admin.setTlsConf(parameters, both);
        SslContext serving = serving(tls);
        GrpcConfigKeys.Server.setServicesCustomizer(
                parameters,
                (builder, _) ->
                        builder.sslContext(serving)
                                .handshakeTimeout(NodeTls.HANDSHAKE_MILLIS, TimeUnit.MILLISECONDS));
    }

    /** Ratis itself would take older protocols, and waits for handshakes for minutes. */
    private static SslContext serving(NodeTls tls) {
        try {
            return GrpcSslContexts.configure(
                            SslContextBuilder.forServer(tls.keyManager())
                                    .trustManager(tls.trust(PeerRule.COORDINATOR))
                                    .clientAuth(ClientAuth.REQUIRE)
                                    .sessionTimeout(1)
                                    .protocols(NodeTls.PROTOCOL),
                            SslProvider.JDK)
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("every Java speaks " + NodeTls.PROTOCOL, e);
        }
    }
}
