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
 */
public record ModelRecord(
        ModelManifest manifest,
        ModelFootprint footprint,
        List<String> sources,
        int minStages,
        long publishedAtMillis) {
    public ModelRecord {
        sources = List.copyOf(sources);
    }

    /** {@code name@digest}. */
    public String id() {
        return manifest.id();
    }

    /** The same model, to be had elsewhere and cut otherwise. */
    public ModelRecord with(List<String> newSources, int newMinStages) {
        return new ModelRecord(manifest, footprint, newSources, newMinStages, publishedAtMillis);
    }
}
