package coop.sahkar.worker.engine;

/** Hears of an engine's state. Called on the engine's thread and must not block it. */
@FunctionalInterface
public interface EngineListener {
    /**
     * The engine has come into a state.
     *
     * @param explanation why, in a sentence, when it is {@link EngineState#FAILED}; otherwise empty
     */
    void changed(EngineState state, String explanation);
}
