package coop.sahkar.worker.gguf;

/** A llama.cpp whose loader is known here, oldest first. */
public enum LlamaRelease {
    /** The one that comes with the worker. */
    B4916("b4916"),
    /** The release of autumn 2026, which a donor may point the worker at. */
    V0_5("v0.5");

    private final String title;

    LlamaRelease(String title) {
        this.title = title;
    }

    /** As llama.cpp calls it. */
    public String title() {
        return title;
    }

    /** Whether what came with {@code oldest} is known to this release. */
    public boolean atLeast(LlamaRelease oldest) {
        return compareTo(oldest) >= 0;
    }
}
