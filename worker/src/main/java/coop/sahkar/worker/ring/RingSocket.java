package coop.sahkar.worker.ring;

import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A Netty socket that also lets the thread at the end of a link at its bytes. */
final class RingSocket extends NioSocketChannel {
    RingSocket() {}

    private RingSocket(Channel parent, SocketChannel accepted) {
        super(parent, accepted);
    }

    /** The socket beneath, which never blocks. */
    SocketChannel socket() {
        return javaChannel();
    }

    /** Accepts such sockets. */
    static final class Server extends NioServerSocketChannel {
        @Override
        protected int doReadMessages(List<Object> accepted) throws Exception {
            @Nullable SocketChannel next = next();
            if (next == null) {
                return 0;
            }
            accepted.add(new RingSocket(this, next));
            return 1;
        }

        private @Nullable SocketChannel next() throws IOException {
            return javaChannel().accept();
        }
    }
}
