package coop.sahkar.worker.store;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The list of pieces that stands beside a stored file, as text: a first line with the file's
 * length, then one line a piece: index of its first byte, offset in the published file, length,
 * SHA-256 and name.
 */
final class PieceList {
    private static final String TITLE = "sahkar pieces 1";
    private static final int FIELDS = 5;

    private final long fileBytes;
    private final List<ShardLayout.Placed> pieces;

    private PieceList(long fileBytes, List<ShardLayout.Placed> pieces) {
        this.fileBytes = fileBytes;
        this.pieces = List.copyOf(pieces);
    }

    static PieceList of(ShardLayout layout) {
        return new PieceList(layout.fileBytes(), layout.pieces());
    }

    long fileBytes() {
        return fileBytes;
    }

    List<ShardLayout.Placed> pieces() {
        return pieces;
    }

    String encode() {
        StringBuilder text = new StringBuilder(TITLE).append(' ').append(fileBytes).append('\n');
        for (ShardLayout.Placed placed : pieces) {
            Piece piece = placed.piece();
            text.append(placed.position()).append(' ').append(piece.offset()).append(' ');
            text.append(piece.bytes()).append(' ').append(piece.sha256()).append(' ');
            text.append(piece.name()).append('\n');
        }
        return text.toString();
    }

    /** Reads a list back; empty if it is damaged. */
    static Optional<PieceList> decode(String text) {
        List<String> lines = text.lines().toList();
        if (lines.isEmpty() || !lines.getFirst().startsWith(TITLE + " ")) {
            return Optional.empty();
        }
        try {
            long fileBytes = Long.parseLong(lines.getFirst().substring(TITLE.length() + 1));
            List<ShardLayout.Placed> pieces = new ArrayList<>();
            for (String line : lines.subList(1, lines.size())) {
                pieces.add(placed(line.split(" ", FIELDS)));
            }
            return Optional.of(new PieceList(fileBytes, pieces));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static ShardLayout.Placed placed(String[] fields) {
        if (fields.length != FIELDS) {
            throw new IllegalArgumentException("not a line of a piece list");
        }
        Piece piece =
                new Piece(
                        fields[4], Long.parseLong(fields[1]), Long.parseLong(fields[2]), fields[3]);
        return new ShardLayout.Placed(piece, Long.parseLong(fields[0]));
    }
}
