package coop.sahkar.worker.store;

import java.util.List;

/**
 * The list of pieces that stands beside a stored file, as text: a first line with the file's
 * length, then one line a piece: index of its first byte, offset in the published file, length,
 * SHA-256 and name.
 */
final class PieceList {
    private static final String TITLE = "sahkar pieces 1";

    private final long fileBytes;
    private final List<ShardLayout.Placed> pieces;

    private PieceList(long fileBytes, List<ShardLayout.Placed> pieces) {
        this.fileBytes = fileBytes;
        this.pieces = List.copyOf(pieces);
    }

    static PieceList of(ShardLayout layout) {
        return new PieceList(layout.fileBytes(), layout.pieces());
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
}
