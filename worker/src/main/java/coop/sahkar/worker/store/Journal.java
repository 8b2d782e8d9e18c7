package coop.sahkar.worker.store;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How many bytes of each piece of a partial file are here, one line a step, appended. Nothing in it
 * is believed without a look at the bytes, so it need not be forced to the disk.
 */
final class Journal implements AutoCloseable {
    private final BufferedWriter writer;

    private Journal(BufferedWriter writer) {
        this.writer = writer;
    }

    /** Bytes of each piece, by its index, as the journal at {@code path} claims. */
    static SortedMap<Integer, Long> read(Path path) throws IOException {
        SortedMap<Integer, Long> claims = new TreeMap<>();
        try {
            for (String line : Files.readAllLines(path, StandardCharsets.ISO_8859_1)) {
                String[] fields = line.split(" ", 3);
                if (fields.length == 2) {
                    claims.put(Integer.parseInt(fields[0]), Long.parseLong(fields[1]));
                }
            }
        } catch (NoSuchFileException | NumberFormatException e) {
            return claims;
        }
        return claims;
    }

    /** Begins the journal anew with what was found to be true. */
    static Journal begin(Path path, SortedMap<Integer, Long> found) throws IOException {
        Journal journal =
                new Journal(
                        Files.newBufferedWriter(
                                path,
                                StandardCharsets.ISO_8859_1,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.TRUNCATE_EXISTING,
                                StandardOpenOption.WRITE));
        for (var entry : found.entrySet()) {
            journal.have(entry.getKey(), entry.getValue());
        }
        return journal;
    }

    /** Piece {@code index} has {@code bytes} bytes here. */
    synchronized void have(int index, long bytes) throws IOException {
        writer.write(index + " " + bytes + "\n");
        writer.flush();
    }

    @Override
    public synchronized void close() throws IOException {
        writer.close();
    }
}
