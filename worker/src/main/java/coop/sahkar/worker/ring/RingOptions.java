package coop.sahkar.worker.ring;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Limits;
import coop.sahkar.worker.engine.EngineLimits;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How a worker's links behave, with every bound of theirs.
 *
 * @param workerId who this worker is
 * @param loopbackCodecs codecs offered to a peer on this machine, the best first
 * @param remoteCodecs codecs offered to any other peer, the best first
 * @param dialTimeoutMillis a peer that has not welcomed a link, or one that has dialled and not
 *     said what it wants, after this long is lost
 * @param keepAliveMillis either end says at least twice in this time that it lives
 * @param keepAliveTimeoutMillis a peer silent for this much longer is lost
 * @param maxQueuedMessages messages waiting for one peer; one more breaks the link
 * @param maxQueuedBytes their bytes
 * @param maxLinks links to and from other workers, each way
 * @param maxSessions sessions open at this worker
 * @param sessionIdleMillis a session without any message for this long is closed
 */
public record RingOptions(
        String workerId,
        List<HiddenCodec> loopbackCodecs,
        List<HiddenCodec> remoteCodecs,
        int dialTimeoutMillis,
        int keepAliveMillis,
        int keepAliveTimeoutMillis,
        int maxQueuedMessages,
        long maxQueuedBytes,
        int maxLinks,
        int maxSessions,
        long sessionIdleMillis) {

    /** Wait before a peer that was lost is dialled again; doubled with each failure. */
    static final long FIRST_BACKOFF_MILLIS = 100;

    /** The longest such wait. */
    static final long MAX_BACKOFF_MILLIS = 5_000;

    /** Links dialled ahead that nothing was sent over yet. */
    static final int MAX_LINKS_AHEAD = 64;

    /** Ends of sessions remembered for one peer, to be said again on its next link. */
    static final int MAX_OWED_CLOSES = 256;

    /** How long: a stage that hears nothing of a session closes it by itself. */
    static final long OWED_CLOSE_NANOS =
            TimeUnit.MILLISECONDS.toNanos(EngineLimits.DEFAULT.idleMillis());

    /** How long after a full mailbox its message is offered again. */
    static final long OFFER_AGAIN_MILLIS = 1;

    /** How often idle sessions are looked for. */
    static final long SWEEP_MILLIS = 10_000;

    /** Frames, or tokens, in one message. */
    static final int MAX_BATCH = 1024;

    /** Bytes of HTTP/2 headers of one call. */
    static final int MAX_METADATA_BYTES = 16 * 1024;

    /** Bytes in flight on one stream before the receiver must have read some. */
    static final int FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;

    /** Calls that one connection may have open at once. */
    static final int MAX_CALLS_PER_CONNECTION = 1024;

    /** How long closing waits for what is on its way. */
    static final long CLOSE_MILLIS = 2_000;

    public RingOptions {
        loopbackCodecs = List.copyOf(loopbackCodecs);
        remoteCodecs = List.copyOf(remoteCodecs);
        require(
                !workerId.isEmpty() && workerId.length() <= Limits.MAX_WORKER_ID,
                "a worker's id has 1 to " + Limits.MAX_WORKER_ID + " characters");
        require(!loopbackCodecs.isEmpty() && !remoteCodecs.isEmpty(), "a link needs a codec");
        require(
                dialTimeoutMillis > 0 && keepAliveMillis > 0 && keepAliveTimeoutMillis > 0,
                "timeouts of links must be positive");
        require(
                maxQueuedMessages > 0 && maxQueuedBytes > 0 && maxLinks > 0 && maxSessions > 0,
                "bounds of links must be positive");
        require(sessionIdleMillis > 0, "the idle time of sessions must be positive");
    }

    /** F32 on this machine, where bytes are cheap and exactness is free; F16 over a network. */
    public static RingOptions defaults(String workerId) {
        return new RingOptions(
                workerId,
                List.of(HiddenCodec.F32, HiddenCodec.F16),
                List.of(HiddenCodec.F16, HiddenCodec.F32),
                5_000,
                10_000,
                5_000,
                4_096,
                128L * 1024 * 1024,
                1_024,
                4_096,
                30 * 60_000L);
    }

    /** The same, but with {@code codecs} offered to every peer. */
    public RingOptions withCodecs(List<HiddenCodec> codecs) {
        return new RingOptions(
                workerId,
                codecs,
                codecs,
                dialTimeoutMillis,
                keepAliveMillis,
                keepAliveTimeoutMillis,
                maxQueuedMessages,
                maxQueuedBytes,
                maxLinks,
                maxSessions,
                sessionIdleMillis);
    }

    private static void require(boolean holds, String sentence) {
        if (!holds) {
            throw new IllegalArgumentException(sentence);
        }
    }
}
