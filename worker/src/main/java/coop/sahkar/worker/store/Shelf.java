package coop.sahkar.worker.store;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What lies in the store, who holds it, and what must go to make room: the least recently used
 * first, never one that is held. No I/O. Safe for use by many threads.
 */
final class Shelf {
    private final long maxBytes;
    private final Map<StoredKey, Row> rows = new TreeMap<>();
    private long uses;

    private static final class Row {
        final StoredKey key;
        long bytes;
        int holds;
        long lastUse;
        @Nullable PieceList checked;

        Row(StoredKey key) {
            this.key = key;
        }
    }

    /**
     * Whether there is room.
     *
     * @param evicted what has to be deleted first; already off the shelf
     * @param fits false when even then there is too little
     * @param heldBytes what cannot be evicted now
     */
    record Room(List<StoredKey> evicted, boolean fits, long heldBytes) {
        Room {
            evicted = List.copyOf(evicted);
        }
    }

    Shelf(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    long maxBytes() {
        return maxBytes;
    }

    synchronized long usedBytes() {
        return rows.values().stream().mapToLong(row -> row.bytes).sum();
    }

    /** Something found on the disk at start, the least recently used first. */
    synchronized void found(StoredKey key, long bytes) {
        Row row = rows.computeIfAbsent(key, Row::new);
        row.bytes = bytes;
        row.lastUse = ++uses;
    }

    /** Makes room for {@code key} and holds it, so that it is not evicted while it grows. */
    synchronized Room admit(StoredKey key, long bytes) {
        Row own = rows.computeIfAbsent(key, Row::new);
        long others = usedBytes() - own.bytes;
        List<StoredKey> evicted = new ArrayList<>();
        for (Row row : idleByAge(own)) {
            if (others + bytes <= maxBytes) {
                break;
            }
            others -= row.bytes;
            rows.remove(row.key);
            evicted.add(row.key);
        }
        boolean fits = others + bytes <= maxBytes;
        if (fits) {
            own.bytes = bytes;
            own.holds++;
            own.lastUse = ++uses;
        } else if (own.bytes == 0 && own.holds == 0) {
            rows.remove(key);
        }
        return new Room(evicted, fits, others);
    }

    private List<Row> idleByAge(Row but) {
        return rows.values().stream()
                .filter(row -> row != but && row.holds == 0)
                .sorted(Comparator.comparingLong(row -> row.lastUse))
                .toList();
    }

    /** The file is complete and its pieces are right: they may be given to others. */
    synchronized void checked(StoredKey key, PieceList pieces) {
        Row row = rows.get(key);
        if (row != null) {
            row.checked = pieces;
        }
    }

    /** Holds a file that is checked and has these pieces. */
    synchronized boolean hold(StoredKey key, PieceList pieces) {
        Row row = rows.get(key);
        if (row == null || row.checked == null || !row.checked.encode().equals(pieces.encode())) {
            return false;
        }
        row.holds++;
        row.lastUse = ++uses;
        return true;
    }

    /** Gives a hold back. */
    synchronized void release(StoredKey key) {
        Row row = rows.get(key);
        if (row != null) {
            row.holds--;
        }
    }

    /** A checked piece and the file it lies in. */
    record Location(StoredKey key, ShardLayout.Placed placed) {}

    /** Finds a piece in the checked files of a model and holds its file. */
    synchronized Optional<Location> locate(String modelId, String piece) {
        for (Row row : rows.values()) {
            if (row.checked == null || !row.key.modelId().equals(modelId)) {
                continue;
            }
            for (ShardLayout.Placed placed : row.checked.pieces()) {
                if (placed.piece().name().equals(piece)) {
                    row.holds++;
                    return Optional.of(new Location(row.key, placed));
                }
            }
        }
        return Optional.empty();
    }
}
