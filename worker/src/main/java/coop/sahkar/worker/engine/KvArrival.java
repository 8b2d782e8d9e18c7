package coop.sahkar.worker.engine;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.KvPart;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** KV on its way to a session, from the worker whose place is taken. */
final class KvArrival {
    /** What a piece that came is. */
    enum Came {
        /** More is to come of the portion. */
        MORE,
        /** The portion is here; the next one is to be asked for. */
        PORTION,
        /** All is here. */
        ALL,
        /** It does not fit what came before or what was asked for. */
        WRONG
    }

    private final RouteStage from;
    private final int most;
    private final boolean tail;
    private final long beganNanos;
    private final List<ByteBuffer> pieces = new ArrayList<>();
    private long heardNanos;
    private int positions;
    private long bytes;
    private long received;
    private int[] tokens = new int[0];

    /**
     * @param most positions at most
     * @param tail whether tokens are to come with it
     */
    KvArrival(RouteStage from, int most, boolean tail, long nowNanos) {
        this.from = from;
        this.most = most;
        this.tail = tail;
        this.beganNanos = nowNanos;
        this.heardNanos = nowNanos;
    }

    /** Takes the next piece. Nothing is allocated for what has not come. */
    Came take(KvPart part, long nowNanos) {
        if (pieces.isEmpty()) {
            positions = part.positions();
            bytes = part.bytes();
            tokens = part.tokens();
        }
        boolean fits =
                part.workerId().equals(from.workerId())
                        && positions > 0
                        && positions <= most
                        && bytes <= Limits.MAX_KV_BYTES
                        && part.positions() == positions
                        && part.bytes() == bytes
                        && part.offset() == received
                        && part.part().hasRemaining()
                        && received + part.part().remaining() <= bytes
                        && tokens.length == (tail ? positions : 0);
        if (!fits) {
            return Came.WRONG;
        }
        pieces.add(part.part());
        received += part.part().remaining();
        heardNanos = nowNanos;
        if (received == bytes) {
            return Came.ALL;
        }
        return received % KvGift.PORTION_BYTES == 0 ? Came.PORTION : Came.MORE;
    }

    RouteStage from() {
        return from;
    }

    List<ByteBuffer> pieces() {
        return pieces;
    }

    /** Positions that all of it holds; 0 before the first piece. */
    int positions() {
        return positions;
    }

    /** The token at each, for a tail. */
    int[] tokens() {
        return tokens;
    }

    /** Bytes that have come. */
    long received() {
        return received;
    }

    /** Positions whose part of the bytes has come. */
    int positionsCome() {
        return bytes == 0 ? 0 : (int) (positions * received / bytes);
    }

    /** Most positions that were asked for. */
    int most() {
        return most;
    }

    long beganNanos() {
        return beganNanos;
    }

    long heardNanos() {
        return heardNanos;
    }
}
