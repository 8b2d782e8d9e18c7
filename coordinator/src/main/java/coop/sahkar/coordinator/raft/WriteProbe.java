package coop.sahkar.coordinator.raft;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Asks a disk whether it takes anything. Ratis does not say why it cannot begin a log, and goes on
 * electing itself for ever where its vote cannot be written.
 */
final class WriteProbe {
    private static final String NAME = "probe";
    private static final int BYTES = 4096;

    private WriteProbe() {}

    /** Why nothing can be written in a folder; empty if it can. */
    static Optional<IOException> refusal(Path directory) {
        Path file = directory.resolve(NAME);
        try {
            Files.createDirectories(directory);
            try {
                Files.write(file, new byte[BYTES]);
            } finally {
                Files.deleteIfExists(file);
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(e);
        }
    }
}
