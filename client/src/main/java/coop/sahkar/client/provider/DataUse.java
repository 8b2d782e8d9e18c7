package coop.sahkar.client.provider;

/** Whether a provider trains models on what it is sent, by its own terms. */
public enum DataUse {
    /** It says that it does not. */
    NO_TRAINING,
    /** It does, or keeps the right to. */
    TRAINING,
    /** Nobody has said; treated like {@link #TRAINING}. */
    UNKNOWN
}
