package coop.sahkar.proto;

/**
 * Every bound on what may cross the wire, in one place. Each receiver checks; a message beyond a
 * bound is refused with a sentence and never allocated for.
 */
public final class Limits {
    /** Blocks of one model. The deepest published models have fewer than 200. */
    public static final int MAX_BLOCKS = 1024;

    /** Stages of one route. */
    public static final int MAX_STAGES = 128;

    /** Positions one frame may carry; a prefill chunk is cut to fit. */
    public static final int MAX_FRAME_POSITIONS = 512;

    /** Floats of one hidden state (the model's width). */
    public static final int MAX_WIDTH = 65_536;

    /** Query heads of one block. */
    public static final int MAX_ATTENTION_HEADS = 65_536;

    /** Bytes of hidden states in one frame. */
    public static final int MAX_FRAME_BYTES = 32 * 1024 * 1024;

    /** Bytes of one gRPC message between nodes: the largest frame and its envelope. */
    public static final int MAX_MESSAGE_BYTES = MAX_FRAME_BYTES + 1024 * 1024;

    /** Positions of one session. */
    public static final int MAX_POSITIONS = 1 << 20;

    /** Characters of a model's name (the part before {@code @}). */
    public static final int MAX_MODEL_NAME = 96;

    /** Characters of a worker's id. */
    public static final int MAX_WORKER_ID = 64;

    /** Peers that a worker measures the way to, for one coordinator. */
    public static final int MAX_MEASURED_PEERS = 32;

    /** Characters of an endpoint, {@code host:port} or a URL. */
    public static final int MAX_ENDPOINT = 2048;

    /** Tensors of one model. */
    public static final int MAX_TENSORS = 32_768;

    /** Bytes of a model's manifest with its metadata (vocabularies are the bulk of it). */
    public static final int MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

    /** Bytes of tensor data in one message of a fetch. */
    public static final int MAX_TENSOR_CHUNK_BYTES = 1024 * 1024;

    /** Bytes of a prompt or of all the messages of a chat, as UTF-8. */
    public static final int MAX_PROMPT_BYTES = 4 * 1024 * 1024;

    /** Bytes of a text to be cut into tokens and nothing else, as UTF-8. */
    public static final int MAX_TOKENIZE_BYTES = 1024 * 1024;

    /** Bytes of the answer to that: some for every token. */
    public static final int MAX_TOKENIZED_BYTES = 16 * 1024 * 1024;

    /** Messages of one chat. */
    public static final int MAX_CHAT_MESSAGES = 4096;

    /** Functions that one request may offer. */
    public static final int MAX_TOOLS = 128;

    /** Characters of a function's name. */
    public static final int MAX_TOOL_NAME = 64;

    /** Bytes of all the functions that one request offers, as UTF-8. */
    public static final int MAX_TOOLS_BYTES = 256 * 1024;

    /** Calls in one message. */
    public static final int MAX_CALLS = 128;

    /** Characters of a call's id. */
    public static final int MAX_CALL_ID = 256;

    /** Stop strings of one request. */
    public static final int MAX_STOPS = 16;

    /** Characters of one stop string. */
    public static final int MAX_STOP_CHARS = 256;

    /** Entries of a logit bias. */
    public static final int MAX_LOGIT_BIAS = 1024;

    /** Likeliest tokens told beside the chosen one. */
    public static final int MAX_TOP_CHANCES = 20;

    /** Characters of a grammar. */
    public static final int MAX_GRAMMAR_CHARS = 64 * 1024;

    /** Rules of a grammar. */
    public static final int MAX_GRAMMAR_RULES = 1024;

    /** Groups within groups of a grammar's rule. */
    public static final int MAX_GRAMMAR_DEPTH = 16;

    /** How often a part of a grammar may be told to come again. */
    public static final int MAX_GRAMMAR_REPEATS = 256;

    /** Bytes of a signed session ticket. */
    public static final int MAX_TICKET_BYTES = 64 * 1024;

    /** Bytes of one piece of a relayed connection. */
    public static final int MAX_RELAY_CHUNK_BYTES = 64 * 1024;

    /** Bytes of one session's KV in one stage, to be moved to another worker. */
    public static final int MAX_KV_BYTES = 64 * 1024 * 1024;

    /** Bytes of one piece of it. */
    public static final int MAX_KV_PART_BYTES = 1024 * 1024;

    /** Characters of a name of how KV is written. */
    public static final int MAX_KV_FORMAT = 128;

    /** Characters of an error's message. */
    public static final int MAX_ERROR_CHARS = 2000;

    /** Version of the protocol spoken here; raised when an older peer would misread a message. */
    public static final int PROTOCOL_VERSION = 2;

    /** The oldest protocol version still understood. Workers of version 1 cannot link with ours. */
    public static final int OLDEST_PROTOCOL_VERSION = 2;

    private Limits() {}
}
