package coop.sahkar.deploy.e2e;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.DelayQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Passes connections on to another address; bytes may be made to take their time, either way. */
final class LongWay implements AutoCloseable {
    private static final int READ_BYTES = 64 * 1024;
    private static final int MOST_PIECES = 1024;

    private final ServerSocket server;
    private final InetSocketAddress target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private volatile long delayNanos;

    private LongWay(ServerSocket server, InetSocketAddress target) {
        this.server = server;
        this.target = target;
    }

    /** Begins to pass on what comes to a port of {@code here}, without delay. */
    static LongWay open(String here, InetSocketAddress target) throws IOException {
        ServerSocket server = new ServerSocket(target.getPort(), 50, InetAddress.getByName(here));
        LongWay way = new LongWay(server, target);
        Thread.ofVirtual().name("long-way").start(way::accept);
        return way;
    }

    /** How long bytes that come from now on are on their way, in each direction. */
    void takes(long millis) {
        delayNanos = TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket in = server.accept();
                sockets.add(in);
                Socket out = new Socket();
                sockets.add(out);
                connect(in, out);
            } catch (IOException closed) {
                // the next one finds out whether it is over
            }
        }
    }

    private void connect(Socket in, Socket out) throws IOException {
        try {
            out.connect(target);
            in.setTcpNoDelay(true);
            out.setTcpNoDelay(true);
        } catch (IOException e) {
            in.close();
            out.close();
            throw e;
        }
        new Direction(in, out).start();
        new Direction(out, in).start();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    /** Bytes on their way; none at the end of the stream. */
    @SuppressWarnings("ArrayRecordComponent") // made for one queue, never compared by content
    private record Piece(long number, long dueNanos, byte[] bytes) implements Delayed {
        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(dueNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(number, ((Piece) other).number);
        }
    }

    private final class Direction {
        private final Socket from;
        private final Socket to;
        private final DelayQueue<Piece> underWay = new DelayQueue<>();
        private final Semaphore room = new Semaphore(MOST_PIECES);

        Direction(Socket from, Socket to) {
            this.from = from;
            this.to = to;
        }

        void start() {
            Thread.ofVirtual().name("long-way-in").start(this::read);
            Thread.ofVirtual().name("long-way-out").start(this::write);
        }

        private void read() {
            byte[] buffer = new byte[READ_BYTES];
            int count;
            long number = 0;
            do {
                try {
                    count = from.getInputStream().read(buffer);
                } catch (IOException broken) {
                    count = -1;
                }
                byte[] bytes = new byte[Math.max(0, count)];
                System.arraycopy(buffer, 0, bytes, 0, bytes.length);
                room.acquireUninterruptibly();
                underWay.add(new Piece(number++, System.nanoTime() + delayNanos, bytes));
            } while (count > 0);
        }

        private void write() {
            try {
                Piece next = underWay.take();
                while (next.bytes.length > 0) {
                    room.release();
                    to.getOutputStream().write(next.bytes);
                    next = underWay.take();
                }
                to.shutdownOutput();
            } catch (IOException broken) {
                end(from);
                end(to);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private static void end(Socket socket) {
            try {
                socket.close();
            } catch (IOException closed) {
                // it is
            }
        }
    }
}
