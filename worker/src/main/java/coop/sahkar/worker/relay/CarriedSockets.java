package coop.sahkar.worker.relay;

import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.RelayChunk;
import coop.sahkar.proto.v1.RelayGrpc;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All connections of this worker that a coordinator carries. Each has a connection to the
 * coordinator of its own, so that one whose reader is slow holds back no other.
 */
final class CarriedSockets implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CarriedSockets.class);
    private static final int MAX_SOCKETS = 1024;
    private static final long KEEP_ALIVE_SECONDS = 10;
    private static final long KEEP_ALIVE_TIMEOUT_SECONDS = 5;

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<CarriedSocket> open = ConcurrentHashMap.newKeySet();

    private final Transport transport;

    /**
     * @param transport how coordinators are dialled
     */
    CarriedSockets(Transport transport) {
        this.transport = transport;
    }

    /** A connection to a coordinator. */
    ManagedChannel channel(String coordinator) {
        return transport
                .to(coordinator, PeerRule.COORDINATOR)
                .disableRetry()
                .executor(threads)
                .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .build();
    }

    /**
     * Has a socket carried until either end closes.
     *
     * @param first says to the coordinator whom with
     */
    void carry(Socket socket, String coordinator, RelayChunk first) {
        if (open.size() >= MAX_SOCKETS) {
            LOG.warn("{} relayed connections are open, as many as may be", MAX_SOCKETS);
            closeQuietly(socket);
            return;
        }
        CarriedSocket carried = new CarriedSocket(socket, channel(coordinator), open::remove);
        open.add(carried);
        var _ = RelayGrpc.newStub(carried.channel()).carry(carried);
        threads.execute(() -> carried.pump(first));
    }

    static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("closing a relayed socket failed", e);
        }
    }

    @Override
    public void close() {
        open.forEach(CarriedSocket::close);
        threads.shutdown();
    }
}
