package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.GenerationEvent;

/**
 * Whoever reads a generation. Its methods are called one at a time and must not block. After {@link
 * #begun} an event comes for each {@link GenerationRun#next()}; the last one, finished or failed,
 * comes unasked.
 */
interface GenerationListener {
    /** First call: the run to ask for events, or to cancel. */
    void begun(GenerationRun run);

    /** Something happened. */
    void event(GenerationEvent event);

    /**
     * An event was asked for and has not come yet; said again and again while that is so.
     *
     * @param millis how long ago it was asked for
     */
    void waiting(long millis);

    /** The reader hung up before the end; nothing follows. */
    default void abandoned() {}
}
