package coop.sahkar.coordinator.relay;

import coop.sahkar.coordinator.relay.RelayDesk.Connection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A port on loopback behind which a relayed worker is, so that the gateway calls its head as it
 * calls any other. Open from the first call of it until the worker's line ends.
 */
final class RelayDoor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RelayDoor.class);
    private static final int BACKLOG = 16;

    private final String workerId;
    private final RelayDesk desk;
    private final ServerSocket listener;

    private RelayDoor(String workerId, RelayDesk desk, ServerSocket listener) {
        this.workerId = workerId;
        this.desk = desk;
        this.listener = listener;
    }

    static RelayDoor open(String workerId, RelayDesk desk) throws IOException {
        ServerSocket listener = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
        RelayDoor door = new RelayDoor(workerId, desk, listener);
        Thread.ofVirtual().name("relay-door-" + workerId).start(door::accept);
        return door;
    }

    InetSocketAddress address() {
        return new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort());
    }

    private void accept() {
        try {
            while (true) {
                connect(listener.accept());
            }
        } catch (IOException e) {
            LOG.debug("the door to worker {} is closed", workerId);
        }
    }

    private void connect(Socket socket) throws IOException {
        socket.setTcpNoDelay(true);
        SocketEnd end = new SocketEnd(socket);
        switch (desk.connect(workerId, end)) {
            case Connection.Made() -> end.start();
            case Connection.Refused(var problem) -> {
                LOG.info("worker {} is not reached: {}", workerId, problem.message());
                socket.close();
            }
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            LOG.debug("closing the door to worker {} failed", workerId, e);
        }
    }
}
