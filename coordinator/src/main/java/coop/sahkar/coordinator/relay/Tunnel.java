package coop.sahkar.coordinator.relay;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import org.jspecify.annotations.Nullable;

/**
 * One connection through the relay. A piece is asked for at one end only when the other takes more
 * and the worker's rate allows it, so that at most one piece waits here each way, and a slow reader
 * holds back the writer at the far end.
 */
public final class Tunnel {
    /** What a tunnel needs of the desk it belongs to. */
    interface Desk {
        long nanoTime();

        /** Counts bytes, and says how long to wait before the next, in nanoseconds. */
        long passed(Tunnel tunnel, int bytes);

        void later(Runnable task, long nanos);

        void ended(Tunnel tunnel);
    }

    /** One direction. */
    private static final class Lane {
        final TunnelEnd from;
        final TunnelEnd to;
        boolean asked;
        boolean paced;

        Lane(TunnelEnd from, TunnelEnd to) {
            this.from = from;
            this.to = to;
        }

        void goOn() {
            if (!asked && !paced && to.isReady()) {
                asked = true;
                from.ask();
            }
        }
    }

    private final String workerId;
    private final TunnelEnd caller;
    private final Desk desk;

    // Below: guarded by this.
    private @Nullable TunnelEnd worker;
    private @Nullable Lane out;
    private @Nullable Lane back;
    private boolean closed;
    private long lastNanos;

    Tunnel(String workerId, TunnelEnd caller, Desk desk) {
        this.workerId = workerId;
        this.caller = caller;
        this.desk = desk;
        this.lastNanos = desk.nanoTime();
    }

    /** The worker that is called. */
    String workerId() {
        return workerId;
    }

    /** The worker took the call: both ends are heard from now on. False when it is too late. */
    synchronized boolean taken(TunnelEnd end) {
        if (closed || worker != null) {
            return false;
        }
        worker = end;
        Lane there = new Lane(caller, end);
        Lane here = new Lane(end, caller);
        out = there;
        back = here;
        there.goOn();
        here.goOn();
        return true;
    }

    synchronized boolean isTaken() {
        return worker != null;
    }

    /** A piece came from an end. */
    public synchronized void received(TunnelEnd from, ByteString data) {
        Lane lane = lane(from);
        if (closed) {
            return;
        }
        if (lane == null || !lane.asked) {
            end(breach("sent before it was asked to"));
            return;
        }
        if (data.isEmpty() || data.size() > Limits.MAX_RELAY_CHUNK_BYTES) {
            end(
                    breach(
                            "sent a piece of %d bytes; 1 to %d are allowed"
                                    .formatted(data.size(), Limits.MAX_RELAY_CHUNK_BYTES)));
            return;
        }
        lane.asked = false;
        lastNanos = desk.nanoTime();
        lane.to.send(data);
        long wait = desk.passed(this, data.size());
        if (wait > 0) {
            lane.paced = true;
            desk.later(() -> unpaced(lane), wait);
        } else {
            lane.goOn();
        }
    }

    private static Problem breach(String what) {
        return Problem.of(Problem.Kind.PROTOCOL, "One end of a relayed connection " + what + ".");
    }

    private synchronized void unpaced(Lane lane) {
        lane.paced = false;
        if (!closed) {
            lane.goOn();
        }
    }

    /** An end takes more again. */
    public synchronized void ready(TunnelEnd end) {
        Lane lane = end.equals(caller) ? back : out;
        if (!closed && lane != null) {
            lane.goOn();
        }
    }

    private @Nullable Lane lane(TunnelEnd from) {
        return from.equals(caller) ? out : back;
    }

    /**
     * Ends it at both ends, behind what passed before.
     *
     * @param why null when one end closed in order
     */
    public void end(@Nullable Problem why) {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            caller.close(why);
            if (worker != null) {
                worker.close(why);
            }
        }
        desk.ended(this);
    }

    synchronized boolean idleSince(long nanos) {
        return lastNanos - nanos < 0;
    }
}
