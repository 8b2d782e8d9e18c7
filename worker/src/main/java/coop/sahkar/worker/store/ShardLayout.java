package coop.sahkar.worker.store;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * What a shard's file consists of: pieces of the published model at their places, and bytes of our
 * own (the header, a stand-in embedding). What neither covers is zero.
 *
 * @param fileBytes length of the file
 * @param literals bytes of our own
 * @param pieces what has to be fetched
 */
public record ShardLayout(long fileBytes, List<Literal> literals, List<Placed> pieces) {

    /**
     * Bytes that stand in the file as they are.
     *
     * @param position where, from the start of the shard's file
     * @param bytes from position to limit; read-only
     */
    public record Literal(long position, ByteBuffer bytes) {
        public Literal {
            bytes = bytes.asReadOnlyBuffer();
        }
    }

    /**
     * A piece and its place.
     *
     * @param piece a tensor of the published model
     * @param position where its first byte stands, from the start of the shard's file
     */
    public record Placed(Piece piece, long position) {}

    public ShardLayout {
        literals = List.copyOf(literals);
        pieces = List.copyOf(pieces);
    }

    /** Bytes that have to be fetched. */
    public long pieceBytes() {
        return pieces.stream().mapToLong(placed -> placed.piece().bytes()).sum();
    }
}
