package coop.sahkar.coordinator.state;

import java.util.List;

/**
 * A published model.
 *
 * @param manifest what it consists of
 * @param footprint what its blocks weigh, computed from the manifest
 * @param sources where its bytes can be had
 * @param minStages cut it into at least this many spans; 0 for as few as fit
 * @param publishedAtMillis Unix time of its first publication
 * @param goneAtMillis Unix time from which it is withdrawn; 0 when it stays
 */
public record ModelRecord(
        ModelManifest manifest,
        ModelFootprint footprint,
        List<String> sources,
        int minStages,
        long publishedAtMillis,
        long goneAtMillis) {
    public ModelRecord {
        sources = List.copyOf(sources);
    }

    /** The same model, to go at another time; 0: it stays. */
    public ModelRecord goneAt(long unixMillis) {
        return new ModelRecord(
                manifest, footprint, sources, minStages, publishedAtMillis, unixMillis);
    }

    /** Whether it is withdrawn, though answers under way may still end. */
    public boolean gone(long unixMillis) {
        return goneAtMillis != 0 && unixMillis >= goneAtMillis;
    }

    /** {@code name@digest}. */
    public String id() {
        return manifest.id();
    }

    /** The same model, to be had elsewhere and cut otherwise. */
    public ModelRecord with(List<String> newSources, int newMinStages) {
        return new ModelRecord(
                manifest, footprint, newSources, newMinStages, publishedAtMillis, goneAtMillis);
    }
}
