package coop.sahkar.proto.tls;

import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * A node's end of encrypted links: TLS 1.3, both ends with a certificate of the co-operative. Safe
 * for use by many threads.
 */
public final class NodeTls {
    /** The only version that is spoken. */
    public static final String PROTOCOL = "TLSv1.3";

    /** A handshake that takes longer is given up. */
    public static final long HANDSHAKE_MILLIS = 5_000;

    private final LongSupplier unixMillis;
    private final Revocations revocations = new Revocations();
    private final CurrentKey key;
    private volatile Credentials credentials;

    /**
     * @param unixMillis the time that certificates are checked with
     */
    public NodeTls(Credentials credentials, LongSupplier unixMillis) {
        this.credentials = credentials;
        this.unixMillis = unixMillis;
        this.key = new CurrentKey(this::credentials);
    }

    /** What is shown at present. */
    public Credentials credentials() {
        return credentials;
    }

    /** Shows others from now on; connections that stand go on. */
    public void renew(Credentials newer) {
        credentials = newer;
    }

    /** Who this node is. */
    public NodeName self() {
        return credentials.name();
    }

    /** Whose certificates count no more. */
    public Revocations revocations() {
        return revocations;
    }

    /** Shows this node's newest certificate. */
    public X509ExtendedKeyManager keyManager() {
        return key;
    }

    /** Lets nobody in but whom the rule allows. */
    public X509ExtendedTrustManager trust(PeerRule rule) {
        return new PeerTrust(credentials.authority(), rule, revocations.test(), unixMillis);
    }

    /** For dialling somebody by gRPC, or by anything else in Netty. */
    public SslContext dialling(PeerRule rule) {
        try {
            return GrpcSslContexts.configure(
                            SslContextBuilder.forClient()
                                    .keyManager(key)
                                    .trustManager(trust(rule))
                                    .protocols(PROTOCOL),
                            SslProvider.JDK)
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("every Java speaks " + PROTOCOL, e);
        }
    }

    /** For being dialled; whoever does must show a certificate. */
    public SslContext serving(PeerRule rule) {
        try {
            SslContext context =
                    GrpcSslContexts.configure(
                                    SslContextBuilder.forServer(key)
                                            .trustManager(trust(rule))
                                            .clientAuth(ClientAuth.REQUIRE)
                                            .protocols(PROTOCOL),
                                    SslProvider.JDK)
                            .build();
            context.sessionContext().setSessionTimeout(1); // who resumes is not looked at again
            return context;
        } catch (SSLException e) {
            throw new IllegalStateException("every Java speaks " + PROTOCOL, e);
        }
    }

    /**
     * Who is at the other end of a connection.
     *
     * @param session null for a connection that is not encrypted
     */
    public static Optional<NodeName> peer(@Nullable SSLSession session) {
        if (session == null) {
            return Optional.empty();
        }
        try {
            Certificate[] chain = session.getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate leaf
                    ? NodeName.of(leaf)
                    : Optional.empty();
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        }
    }
}
