package coop.sahkar.proto.tls;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.Map;

/**
 * Counts connections that have not shown yet who they are. There is room for so many in all and so
 * many from one address, so that a stranger who opens many takes no room from others. Safe for use
 * by many threads.
 */
public final class HalfOpen {
    /** As many may be under way at one port. */
    public static final int MOST = 512;

    /** As many may be under way from one address. */
    public static final int MOST_FROM_ONE = 128;

    private static final InetAddress UNKNOWN = InetAddress.getLoopbackAddress();

    private final Map<InetAddress, Integer> byAddress = new HashMap<>(); // guarded by this
    private int all; // guarded by this

    /** Whether there is room for one more; if so it is counted until {@link #left}. */
    public synchronized boolean entered(SocketAddress from) {
        InetAddress address = address(from);
        int same = byAddress.getOrDefault(address, 0);
        if (all >= MOST || same >= MOST_FROM_ONE) {
            return false;
        }
        all++;
        byAddress.put(address, same + 1);
        return true;
    }

    /** One that entered has shown who it is, or is gone. */
    public synchronized void left(SocketAddress from) {
        all--;
        byAddress.computeIfPresent(address(from), (_, same) -> same > 1 ? same - 1 : null);
    }

    private static InetAddress address(SocketAddress from) {
        return from instanceof InetSocketAddress known && known.getAddress() != null
                ? known.getAddress()
                : UNKNOWN;
    }
}
