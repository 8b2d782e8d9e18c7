package coop.sahkar.coordinator.accounts;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * A key that a coordinator draws at each start and leaves in its data folder, readable by its owner
 * only: whoever can read it runs the coordinator, and may do there what an operator may. So nobody
 * has to be trusted for the address he calls from, and a reverse proxy opens no door.
 */
public final class HostKey {
    /** The file's name in the coordinator's folder. */
    public static final String FILE = "operator-key";

    private static final int MAX_BYTES = 256;

    private HostKey() {}

    /** Draws a key, leaves it in the folder in the place of the last one, and returns its hash. */
    public static String draw(Path folder, RandomGenerator random) throws IOException {
        String key = KeyText.draw(random);
        Path partial = folder.resolve(FILE + ".partial");
        Files.deleteIfExists(partial);
        Files.createFile(
                partial,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(partial, key + "\n", StandardOpenOption.WRITE);
        Files.move(
                partial,
                folder.resolve(FILE),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
        return KeyText.hash(key);
    }

    /** The key in a coordinator's folder; empty if there is none that one can read. */
    public static Optional<String> read(Path folder) {
        Path file = folder.resolve(FILE);
        try {
            if (!Files.isReadable(file) || Files.size(file) > MAX_BYTES) {
                return Optional.empty();
            }
            return Optional.of(Files.readString(file, StandardCharsets.US_ASCII).strip())
                    .filter(KeyText::meantAsOurs);
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }
}
