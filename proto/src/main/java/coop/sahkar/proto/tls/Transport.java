package coop.sahkar.proto.tls;

import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** How connections are made: in the open, on one machine, or encrypted. */
public final class Transport {
    /** In the open: nobody shows who he is. */
    public static final Transport OPEN = new Transport(null, null);

    private final @Nullable NodeTls tls;
    private final @Nullable Function<PeerRule, SslContext> dialling;

    private Transport(@Nullable NodeTls tls, @Nullable Function<PeerRule, SslContext> dialling) {
        this.tls = tls;
        this.dialling = dialling;
    }

    /** Encrypted, with this node's certificate. */
    public static Transport of(NodeTls tls) {
        return new Transport(tls, tls::dialling);
    }

    /**
     * Encrypted, without a certificate of one's own: for users.
     *
     * @param certificate a file with the co-operative's certificate
     * @throws IOException in a sentence, if it holds none
     */
    public static Transport trusting(Path certificate) throws IOException {
        try {
            List<X509Certificate> found = Pem.certificates(PrivateFiles.read(certificate));
            if (found.size() != 1) {
                throw new IOException(certificate + " does not hold one certificate");
            }
            return new Transport(null, rule -> trusting(found.getFirst(), rule));
        } catch (CertificateException e) {
            throw new IOException(certificate + " is no certificate: " + e.getMessage(), e);
        }
    }

    private static SslContext trusting(X509Certificate authority, PeerRule rule) {
        try {
            return GrpcSslContexts.configure(
                            SslContextBuilder.forClient()
                                    .trustManager(
                                            new PeerTrust(
                                                    authority,
                                                    rule,
                                                    _ -> false,
                                                    System::currentTimeMillis))
                                    .protocols(NodeTls.PROTOCOL),
                            SslProvider.JDK)
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("every Java speaks " + NodeTls.PROTOCOL, e);
        }
    }

    /** How certificates are shown and checked; empty without one of one's own. */
    public Optional<NodeTls> tls() {
        return Optional.ofNullable(tls);
    }

    /** Prepares a connection to a node. */
    public NettyChannelBuilder to(String target, PeerRule expected) {
        return secure(NettyChannelBuilder.forTarget(target), expected);
    }

    /** Makes a connection that is being prepared one of this kind. */
    public NettyChannelBuilder secure(NettyChannelBuilder builder, PeerRule expected) {
        return dialling == null
                ? builder.usePlaintext()
                : builder.useTransportSecurity().sslContext(dialling.apply(expected));
    }
}
