package coop.sahkar.coordinator.gateway;

/** Every bound of the gateway, in one place. What crosses the wire is bounded in proto's Limits. */
final class GatewayLimits {
    /** Bytes of one HTTP request body; beyond it the answer is 413. */
    static final int MAX_REQUEST_BYTES = 8 * 1024 * 1024;

    /** Levels of arrays and objects in a request. */
    static final int MAX_JSON_DEPTH = 64;

    /** Characters of one field name in a request. */
    static final int MAX_JSON_NAME_CHARS = 1024;

    /** Characters of one number in a request. */
    static final int MAX_JSON_NUMBER_CHARS = 64;

    /** Bytes of all headers of a request. */
    static final int MAX_HEADER_BYTES = 16 * 1024;

    /** Open connections; more are closed as they come. */
    static final int MAX_CONNECTIONS = 10_000;

    /** Requests one HTTP/2 connection may have open. */
    static final int MAX_STREAMS_PER_CONNECTION = 1_000;

    /** A connection without a request, or with half a request head, is closed after this. */
    static final long IDLE_MILLIS = 60_000;

    /** A request body must have come in full within this. */
    static final long BODY_MILLIS = 30_000;

    /** How long closing waits for the HTTP server's threads. */
    static final long CLOSE_MILLIS = 250;

    /** Pause between HTTP/2 pings on long-lived connections. */
    static final long HTTP2_PING_MILLIS = 20_000;

    /** Answers of one request. */
    static final int MAX_CHOICES = 8;

    /** Texts of one request for embeddings. */
    static final int MAX_EMBEDDING_INPUTS = 64;

    /** Calls of functions in one answer that must be calls. */
    static final int MAX_CALLS = 8;

    /** Characters of the header that names a route; a longer one is left out. */
    static final int MAX_ROUTE_HEADER_CHARS = 4096;

    /** How long a head may take to cut a text into tokens. */
    static final int TOKENIZE_MILLIS = 30_000;

    /** Rules of the grammar that a JSON schema makes. */
    static final int MAX_SCHEMA_RULES = 512;

    /** Schemas within schemas, references followed. */
    static final int MAX_SCHEMA_DEPTH = 128;

    /** Answers of {@code /v1/responses} that callers may go on from. */
    static final int MAX_KEPT_RESPONSES = 1024;

    /** Bytes of one of them with all that was said before it. */
    static final int MAX_KEPT_RESPONSE_BYTES = 256 * 1024;

    /** Bytes of all of them. */
    static final long MAX_KEPT_RESPONSES_BYTES = 16L * 1024 * 1024;

    /** How long they are kept. */
    static final long KEPT_RESPONSE_MILLIS = 30 * 60_000;

    /** Streams kept so that their readers may come back. */
    static final int MAX_KEPT_STREAMS = 256;

    /** Bytes of events kept of one of them. */
    static final int MAX_KEPT_STREAM_BYTES = 1024 * 1024;

    /** A stream whose reader does not come back within this is given up. */
    static final long DESERTED_STREAM_MILLIS = 30_000;

    /** A stream that is complete is kept for this long. */
    static final long KEPT_STREAM_MILLIS = 60_000;

    /** Bytes of an answer that is not streamed. */
    static final int MAX_ANSWER_BYTES = 16 * 1024 * 1024;

    /** Cached connections to heads. */
    static final int MAX_HEAD_CHANNELS = 256;

    /** Bytes of events a head may be ahead of a reader that is held back. */
    static final int HEAD_WINDOW_BYTES = 64 * 1024;

    /** Bytes of one event from a head. */
    static final int MAX_EVENT_BYTES = 1024 * 1024;

    /** How long connecting to a head may take. */
    static final int HEAD_CONNECT_MILLIS = 5_000;

    /** Pause between keep-alive pings to a head. */
    static final int HEAD_PING_SECONDS = 20;

    /** A head that does not answer a ping within this is unreachable. */
    static final int HEAD_PING_TIMEOUT_SECONDS = 10;

    /** A connection to a head without generations is closed after this. */
    static final int HEAD_IDLE_SECONDS = 300;

    /** Bytes of a gRPC request: the largest manifest and its envelope. */
    static final int MAX_GRPC_MESSAGE_BYTES =
            coop.sahkar.proto.Limits.MAX_MANIFEST_BYTES + 1024 * 1024;

    /** Characters of a caller's own request id. */
    static final int MAX_REQUEST_ID_CHARS = 64;

    /** Finished chats remembered for their next turn; a hash and a route each. */
    static final int MAX_RESTING_CHATS = 4096;

    /**
     * How long a head goes on when this coordinator is lost, for another to find it running: the
     * readers notice at once, and ask another within this.
     */
    static final int ORPHAN_MILLIS = 15_000;

    /** How long a head may take to hear that a generation is to stop. */
    static final int STOP_MILLIS = 2_000;

    /** Tries of one reader to go on, since it last was told where. */
    static final int MAX_RESUME_ATTEMPTS = 1000;

    private GatewayLimits() {}
}
