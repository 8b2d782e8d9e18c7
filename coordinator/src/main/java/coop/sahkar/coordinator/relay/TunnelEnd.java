package coop.sahkar.coordinator.relay;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Problem;
import org.jspecify.annotations.Nullable;

/** One end of a tunnel. Its tunnel calls it, one call at a time; no call may block. */
public interface TunnelEnd {
    /** It is an end of this tunnel. Comes once, before any other call. */
    void joins(Tunnel tunnel);

    /** Sends a piece to whoever is at this end. */
    void send(ByteString data);

    /** Whether it takes more now; if not, {@link Tunnel#ready} follows when it does. */
    boolean isReady();

    /** Asks for one more piece from this end: {@link Tunnel#received} follows when it came. */
    void ask();

    /**
     * The tunnel is over.
     *
     * @param why null when the other end closed in order
     */
    void close(@Nullable Problem why);
}
