package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.WholeFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file in which Ratis keeps its term and whom it voted for. On a full disk Ratis replaces it by
 * an empty one, and then refuses to start. Nothing else is lost, and it is mended here: no term
 * before may be voted in again, so the log goes on in one that lies beyond all of them. Others
 * follow, as they follow any newer term.
 */
final class VoteFile {
    private static final Logger LOG = LoggerFactory.getLogger(VoteFile.class);
    private static final String FOLDER = "current";
    private static final String NAME = "raft-meta";

    /** Says in which term it went on when it was mended the last time. */
    private static final String MENDED = "raft-meta.mended";

    private static final Pattern TERM = Pattern.compile("^term=(\\d+)$", Pattern.MULTILINE);
    private static final Pattern SNAPSHOT = Pattern.compile("snapshot\\.(\\d+)_\\d+");

    /** Elections there will never be between two snapshots. */
    private static final long BEYOND = 1L << 40;

    private VoteFile() {}

    /**
     * Mends the file if it needs it.
     *
     * @param directory of the log, absent if it was never opened
     */
    static void mend(Path directory, RaftNode node) throws IOException {
        Path group = directory.resolve(node.group().getUuid().toString());
        Path file = group.resolve(FOLDER).resolve(NAME);
        if (!Files.exists(file) || TERM.matcher(Files.readString(file)).find()) {
            return;
        }
        if (names(group.resolve(FOLDER)).stream().noneMatch(name -> name.startsWith("log_"))
                && names(group.resolve("sm")).isEmpty()) {
            Files.delete(file); // the log was never begun
            return;
        }
        long term = lastKnownTerm(group) + BEYOND;
        write(group.resolve(FOLDER).resolve(MENDED), "term=" + term + "\n");
        write(file, "term=" + term + "\nvotedFor=" + node.self().id() + "\n");
        LOG.warn("{} was left empty by a full disk; the log goes on in term {}", file, term);
    }

    private static long lastKnownTerm(Path group) throws IOException {
        long last = 0;
        for (String name : names(group.resolve("sm"))) {
            Matcher snapshot = SNAPSHOT.matcher(name);
            if (snapshot.lookingAt()) {
                last = Math.max(last, Long.parseLong(snapshot.group(1)));
            }
        }
        Path mended = group.resolve(FOLDER).resolve(MENDED);
        Matcher before = TERM.matcher(Files.exists(mended) ? Files.readString(mended) : "");
        return before.find() ? Math.max(last, Long.parseLong(before.group(1))) : last;
    }

    private static List<String> names(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static void write(Path file, String text) throws IOException {
        WholeFile.write(file, text.getBytes(StandardCharsets.UTF_8));
    }
}
