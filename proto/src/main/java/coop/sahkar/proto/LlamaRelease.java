package coop.sahkar.proto;

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

    /**
     * The release that a text speaks of: what a worker says of its library, or a manifest of what
     * it needs. One that is not known here is newer than all that are.
     */
    public static LlamaRelease named(String text) {
        for (LlamaRelease release : values()) {
            if (text.contains(release.title)) {
                return release;
            }
        }
        return values()[values().length - 1];
    }

    /** Whether what came with {@code oldest} is known to this release. */
    public boolean atLeast(LlamaRelease oldest) {
        return compareTo(oldest) >= 0;
    }
}
