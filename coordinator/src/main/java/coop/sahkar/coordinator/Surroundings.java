package coop.sahkar.coordinator;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a coordinator last knew of its place among the others, as the file {@code surroundings} of
 * its data directory says: so that it finds back when it is started with nothing but that.
 *
 * @param raft where its log was reached, {@code host:port}
 * @param alone whether it was the only member
 */
public record Surroundings(String raft, boolean alone) {
    private static final String ALONE = "alone";
    private static final int MAX_BYTES = 4096;

    /** What stands in a data directory; empty if nothing does, or nothing that can be read. */
    public static Optional<Surroundings> read(Path directory) {
        Path file = directory.resolve("surroundings");
        try {
            if (!Files.exists(file) || Files.size(file) > MAX_BYTES) {
                return Optional.empty();
            }
            List<String> lines = Files.readAllLines(file);
            return lines.isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Surroundings(lines.get(0), lines.contains(ALONE)));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    void write(Path directory) throws IOException {
        String text = raft + "\n" + (alone ? ALONE + "\n" : "");
        WholeFile.write(directory.resolve("surroundings"), text.getBytes(StandardCharsets.UTF_8));
    }
}
