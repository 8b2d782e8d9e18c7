package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files that belong to one stored file.
 *
 * @param whole the file itself; stands only when it is complete
 * @param partial the same while it is being fetched
 * @param journal which pieces of {@code partial} are here
 * @param pieces the {@link PieceList}
 */
record StoredPaths(Path whole, Path partial, Path journal, Path pieces) {
    static final String PIECES_SUFFIX = ".pieces";

    static StoredPaths of(Path directory, String label) {
        return new StoredPaths(
                directory.resolve(label),
                directory.resolve(label + ".partial"),
                directory.resolve(label + ".journal"),
                directory.resolve(label + PIECES_SUFFIX));
    }

    void delete() throws IOException {
        Files.deleteIfExists(whole);
        Files.deleteIfExists(partial);
        Files.deleteIfExists(journal);
        Files.deleteIfExists(pieces);
    }
}
