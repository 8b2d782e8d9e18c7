package coop.sahkar.client.http;

/** How a service is asked to go on with the beginning of an answer in a conversation. */
public enum Continuation {
    /** It cannot. */
    NONE,
    /** A last message of the model is taken for the beginning of its answer. */
    LAST_MESSAGE,
    /** That, marked {@code "prefix": true}, as DeepSeek's beta API and Mistral have it. */
    PREFIX_FLAG,
    /** That, with {@code continue_final_message}, as vLLM has it. */
    CONTINUE_FLAG
}
