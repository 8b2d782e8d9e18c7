package coop.sahkar.worker.relay;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.RelayEndpoint;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.RelayChunk;
import coop.sahkar.proto.v1.RelayDial;
import coop.sahkar.worker.ring.RelayPath;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A worker's dealings with the relays of its coordinators. Safe for use by many threads. */
public final class Relays implements RelayPath, AutoCloseable {
    private static final String SOURCE = "sahkar://";
    private static final int FETCHES_AT_ONCE = 16;
    private static final Logger LOG = LoggerFactory.getLogger(Relays.class);

    /** A link that is prepared is dialled by then, or never. */
    private static final int DIAL_MILLIS = 5_000;

    private final String workerId;
    private final CarriedSockets sockets;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("relay").factory());
    private final Map<String, ByteString> tokens = new ConcurrentHashMap<>();
    private final Map<String, RelayListener> listeners = new ConcurrentHashMap<>();

    /**
     * @param transport how coordinators are dialled
     */
    public Relays(String workerId, Transport transport) {
        this.workerId = workerId;
        this.sockets = new CarriedSockets(transport);
    }

    /**
     * A coordinator let this worker in.
     *
     * @param coordinator {@code host:port}
     * @param token proves to its relay that it did
     */
    public void admitted(String coordinator, ByteString token) {
        tokens.put(coordinator, token);
    }

    /**
     * Is reached through a coordinator from now on; asks again and again until it agrees. Called by
     * one thread.
     *
     * @param own where this worker listens
     */
    public void serve(String coordinator, InetSocketAddress own) {
        RelayListener known = listeners.get(coordinator);
        if (known != null) {
            known.again();
            return;
        }
        RelayListener made =
                new RelayListener(
                        workerId,
                        coordinator,
                        own,
                        () -> tokens.getOrDefault(coordinator, ByteString.EMPTY),
                        sockets,
                        thread);
        listeners.put(coordinator, made);
        made.start();
    }

    /** Is not reached through that coordinator any more; connections that stand go on. */
    public void stop(String coordinator) {
        RelayListener listener = listeners.remove(coordinator);
        if (listener != null) {
            listener.close();
        }
    }

    @Override
    public InetSocketAddress open(RelayEndpoint to, SealedTicket ticket) throws IOException {
        RelayChunk dial = chunk(dial(to).setTicket(Tickets.toWire(ticket)));
        ServerSocket door = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        door.setSoTimeout(DIAL_MILLIS);
        Thread.ofVirtual().name("relay-dial").start(() -> accept(door, to, dial));
        return new InetSocketAddress(door.getInetAddress(), door.getLocalPort());
    }

    private RelayDial.Builder dial(RelayEndpoint to) throws IOException {
        ByteString token = tokens.get(to.coordinator());
        if (token == null) {
            throw new IOException(
                    "it is reached through coordinator %s only, which this worker is not attached to"
                            .formatted(to.coordinator()));
        }
        return RelayDial.newBuilder()
                .setWorkerId(workerId)
                .setToken(token)
                .setTargetId(to.workerId());
    }

    private static RelayChunk chunk(RelayDial.Builder dial) {
        return RelayChunk.newBuilder().setDial(dial).build();
    }

    /**
     * Opens a way to those sources of tensors that are relayed workers; the others stay as they
     * are.
     *
     * @param sources as an assignment names them; one that can't be reached is left out
     */
    public ReachedSources reach(List<String> sources) {
        List<String> addresses = new ArrayList<>();
        List<ServerSocket> doors = new ArrayList<>();
        for (String source : sources) {
            String endpoint = source.startsWith(SOURCE) ? source.substring(SOURCE.length()) : "";
            RelayEndpoint relayed = RelayEndpoint.read(endpoint).orElse(null);
            if (relayed == null) {
                addresses.add(source);
                continue;
            }
            try {
                RelayChunk dial = chunk(dial(relayed));
                ServerSocket door =
                        new ServerSocket(0, FETCHES_AT_ONCE, InetAddress.getLoopbackAddress());
                doors.add(door);
                addresses.add(
                        SOURCE
                                + door.getInetAddress().getHostAddress()
                                + ":"
                                + door.getLocalPort());
                Thread.ofVirtual().name("relay-fetch").start(() -> acceptAll(door, relayed, dial));
            } catch (IOException e) {
                LOG.info("{} is left out: {}", source, e.getMessage());
            }
        }
        return new ReachedSources(addresses, doors);
    }

    private void acceptAll(ServerSocket door, RelayEndpoint to, RelayChunk dial) {
        try {
            while (true) {
                sockets.carry(door.accept(), to.coordinator(), dial);
            }
        } catch (IOException e) {
            LOG.debug("nothing more is fetched from {}", to);
        }
    }

    private void accept(ServerSocket door, RelayEndpoint to, RelayChunk dial) {
        Socket socket;
        try (door) {
            socket = door.accept();
        } catch (IOException e) {
            LOG.debug("{} was not dialled", to, e);
            return;
        }
        sockets.carry(socket, to.coordinator(), dial);
    }

    @Override
    public void close() {
        listeners.values().forEach(RelayListener::close);
        thread.shutdown();
        sockets.close();
    }
}
