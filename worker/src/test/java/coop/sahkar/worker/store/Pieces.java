package coop.sahkar.worker.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** A made-up published file: a few pieces of random bytes with gaps between them. */
final class Pieces {
    static final String MODEL = "made-up@" + "ab".repeat(32);
    static final int GAP_BYTES = 17;

    private Pieces() {}

    @SuppressWarnings("ArrayRecordComponent")
    record File(byte[] bytes, List<Piece> pieces) {
        /** A shard that has all pieces, in another order, behind a header. */
        ShardLayout layout() {
            byte[] header = "a header of our own".getBytes(StandardCharsets.UTF_8);
            List<ShardLayout.Placed> placed = new ArrayList<>();
            long position = 64;
            for (Piece piece : pieces.reversed()) {
                placed.add(new ShardLayout.Placed(piece, position));
                position += piece.bytes() + 5;
            }
            return new ShardLayout(
                    position + 100,
                    List.of(new ShardLayout.Literal(3, ByteBuffer.wrap(header))),
                    placed);
        }

        /** What the shard's file must look like. */
        byte[] assembled(ShardLayout layout) {
            ByteBuffer file = ByteBuffer.allocate((int) layout.fileBytes());
            for (ShardLayout.Literal literal : layout.literals()) {
                file.put((int) literal.position(), literal.bytes(), 0, literal.bytes().limit());
            }
            for (ShardLayout.Placed placed : layout.pieces()) {
                Piece piece = placed.piece();
                file.put((int) placed.position(), bytes, (int) piece.offset(), (int) piece.bytes());
            }
            return file.array();
        }
    }

    static File file(long seed, int... sizes) {
        int total = GAP_BYTES;
        for (int size : sizes) {
            total += size + GAP_BYTES;
        }
        byte[] bytes = new byte[total];
        new Random(seed).nextBytes(bytes);
        List<Piece> pieces = new ArrayList<>();
        int offset = GAP_BYTES;
        for (int i = 0; i < sizes.length; i++) {
            pieces.add(new Piece("t" + i, offset, sizes[i], sha256(bytes, offset, sizes[i])));
            offset += sizes[i] + GAP_BYTES;
        }
        return new File(bytes, pieces);
    }

    static String sha256(byte[] bytes, int offset, int length) {
        var digest = Digests.sha256();
        digest.update(bytes, offset, length);
        return HexFormat.of().formatHex(digest.digest());
    }
}
