package coop.sahkar.client.http;

/** Every bound on what is read from a service. */
final class Bounds {
    /** Bytes of one line of a stream. */
    static final int MAX_LINE_BYTES = 1 << 20;

    /** Characters of one event of a stream, over several lines. */
    static final int MAX_EVENT_CHARS = 1 << 20;

    /** Bytes of a whole stream. */
    static final long MAX_STREAM_BYTES = 256L << 20;

    /** Bytes of an answer that comes in one piece, or of a list of models. */
    static final int MAX_BODY_BYTES = 16 << 20;

    /** Bytes of an error that are read. */
    static final int MAX_ERROR_BYTES = 64 << 10;

    /** Characters of a service's own words that go into a failure's message. */
    static final int MAX_QUOTED_CHARS = 300;

    /** Events that wait for a reader who has not asked for them yet. */
    static final int MAX_WAITING_EVENTS = 64;

    /** Tools one answer may want called. */
    static final int MAX_TOOL_CALLS = 128;

    private Bounds() {}
}
