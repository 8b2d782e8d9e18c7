package coop.sahkar.proto.tls;

import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How a node's connections are made: in the open, on one machine, or encrypted. */
public final class Transport {
    /** In the open: nobody shows who he is. */
    public static final Transport OPEN = new Transport(null);

    private final @Nullable NodeTls tls;

    private Transport(@Nullable NodeTls tls) {
        this.tls = tls;
    }

    /** Encrypted, with this node's certificate. */
    public static Transport of(NodeTls tls) {
        return new Transport(tls);
    }

    /** How certificates are shown and checked; empty in the open. */
    public Optional<NodeTls> tls() {
        return Optional.ofNullable(tls);
    }

    /** Prepares a connection to a node. */
    public NettyChannelBuilder to(String target, PeerRule expected) {
        return secure(NettyChannelBuilder.forTarget(target), expected);
    }

    /** Makes a connection that is being prepared one of this kind. */
    public NettyChannelBuilder secure(NettyChannelBuilder builder, PeerRule expected) {
        return tls == null
                ? builder.usePlaintext()
                : builder.useTransportSecurity().sslContext(tls.dialling(expected));
    }
}
