package coop.sahkar.coordinator;

import coop.sahkar.coordinator.raft.RaftNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Whose a data directory is, as its file {@code identity} says; never changed once written.
 *
 * @param id the coordinator's id
 * @param groupId names the log that it shares
 * @param joined whether it joined a pool that was there; otherwise it began one
 */
public record Identity(String id, UUID groupId, boolean joined) {
    private static final String FIRST_LINE = "sahkar coordinator 1";
    private static final String GROUP = "group ";
    private static final String JOINED = "joined";
    private static final int MAX_BYTES = 4096;

    /** One that begins a pool. */
    static Identity founder(String id) {
        return new Identity(id, UUID.randomUUID(), false);
    }

    /**
     * What stands in a data directory; empty if nothing does.
     *
     * @throws CoordinatorException in a sentence, if it is no coordinator's
     */
    public static Optional<Identity> read(Path directory) {
        Path file = file(directory);
        try {
            if (!Files.exists(file)) {
                return Optional.empty();
            }
            List<String> lines =
                    Files.size(file) > MAX_BYTES
                            ? List.of()
                            : Files.readString(file, StandardCharsets.UTF_8).lines().toList();
            if (lines.size() < 2 || !lines.get(0).equals(FIRST_LINE)) {
                throw foreign(directory, null);
            }
            return Optional.of(new Identity(lines.get(1), group(lines), lines.contains(JOINED)));
        } catch (IOException | IllegalArgumentException e) {
            throw foreign(directory, e);
        }
    }

    /** Pools from before groups had names share one. */
    private static UUID group(List<String> lines) {
        return lines.stream()
                .filter(line -> line.startsWith(GROUP))
                .map(line -> UUID.fromString(line.substring(GROUP.length())))
                .findFirst()
                .orElse(RaftNode.UNNAMED);
    }

    private static CoordinatorException foreign(Path directory, @Nullable Exception cause) {
        return new CoordinatorException(
                "%s is not a coordinator's data directory of this release: name another"
                        .formatted(directory),
                cause);
    }

    void write(Path directory) throws IOException {
        String text = FIRST_LINE + "\n" + id + "\n" + GROUP + groupId + "\n";
        String all = joined ? text + JOINED + "\n" : text;
        WholeFile.write(file(directory), all.getBytes(StandardCharsets.UTF_8));
    }

    private static Path file(Path directory) {
        return directory.resolve("identity");
    }
}
