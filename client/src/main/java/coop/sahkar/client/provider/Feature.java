package coop.sahkar.client.provider;

/** What a model may be asked for. A request that needs one a provider lacks is not sent there. */
public enum Feature {
    /** Conversations. */
    CHAT,
    /** Plain text, continued as it stands. */
    PROMPT,
    /** Tools that the model may ask to be called. */
    TOOLS,
    /** Images in messages. */
    VISION,
    /** Answers that are some JSON object. */
    JSON_OBJECT,
    /** Answers that follow a JSON schema. */
    JSON_SCHEMA,
    /** A conversation whose last message is the beginning of the answer to go on with. */
    CONTINUATION
}
