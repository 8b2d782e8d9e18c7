package coop.sahkar.coordinator.relay;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import java.io.IOException;
import java.net.Socket;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The end of a tunnel at a socket of this process. One virtual thread reads it, one writes. */
final class SocketEnd implements TunnelEnd {
    private static final Logger LOG = LoggerFactory.getLogger(SocketEnd.class);

    private final Socket socket;
    private final Semaphore asked = new Semaphore(0);
    private final BlockingQueue<ByteString> queue =
            new ArrayBlockingQueue<>(RelayLimits.SOCKET_QUEUE);
    private @Nullable Tunnel tunnel;
    private volatile boolean over;

    SocketEnd(Socket socket) {
        this.socket = socket;
    }

    @Override
    public void joins(Tunnel joined) {
        tunnel = joined;
    }

    /** Sets the threads to work; they end with the tunnel. */
    void start() {
        Tunnel joined = Objects.requireNonNull(tunnel);
        Thread.ofVirtual().name("relay-read").start(() -> read(joined));
        Thread.ofVirtual().name("relay-write").start(() -> write(joined));
    }

    private void read(Tunnel joined) {
        byte[] buffer = new byte[Limits.MAX_RELAY_CHUNK_BYTES];
        try {
            while (!over) {
                asked.acquire();
                int count = socket.getInputStream().read(buffer);
                if (count < 0) {
                    break;
                }
                joined.received(this, ByteString.copyFrom(buffer, 0, count));
            }
        } catch (IOException e) {
            LOG.debug("a relayed socket broke", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        joined.end(null);
    }

    private void write(Tunnel joined) {
        try {
            while (true) {
                ByteString data = queue.take();
                if (data.isEmpty()) {
                    break;
                }
                data.writeTo(socket.getOutputStream());
                joined.ready(this);
            }
            socket.close();
        } catch (IOException e) {
            LOG.debug("a relayed socket broke", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        joined.end(null);
    }

    @Override
    public void send(ByteString data) {
        queue.add(data); // the tunnel sends only what it asked the other end for: see isReady
    }

    /** One piece may be on its way here besides the one that is written. */
    @Override
    public boolean isReady() {
        return queue.isEmpty();
    }

    @Override
    public void ask() {
        asked.release();
    }

    /** What was sent is written first; then the writer closes the socket, which ends the reader. */
    @Override
    public void close(@Nullable Problem why) {
        over = true;
        asked.release();
        if (why != null || !queue.offer(ByteString.EMPTY)) {
            closeNow();
            queue.clear();
            queue.add(ByteString.EMPTY);
        }
    }

    private void closeNow() {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("closing a relayed socket failed", e);
        }
    }
}
