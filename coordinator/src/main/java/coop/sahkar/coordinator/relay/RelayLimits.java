package coop.sahkar.coordinator.relay;

/** Every bound of the relay. Its bandwidth is the policy's. */
final class RelayLimits {
    /** Workers that one coordinator relays to. */
    static final int MAX_WORKERS = 1024;

    /** Connections to one worker, those that it has not taken yet included. */
    static final int MAX_TUNNELS_PER_WORKER = 256;

    /** A called worker that has not taken the call by then is not there. */
    static final long ANSWER_MILLIS = 5_000;

    /** A connection without a byte for this long is over: links probe theirs more often. */
    static final long IDLE_MILLIS = 120_000;

    /** How often idle connections are looked for. */
    static final long SWEEP_MILLIS = 10_000;

    /** Pieces that wait to be written to a socket of this process. */
    static final int SOCKET_QUEUE = 4;

    /** What may pass at once after a pause, in milliseconds of the rate. */
    static final long BURST_MILLIS = 250;

    private RelayLimits() {}
}
