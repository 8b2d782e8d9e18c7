package coop.sahkar.worker.engine;

import coop.sahkar.worker.engine.StageMessage.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** Frames cut by position and joined again. */
final class FrameCut {
    private FrameCut() {}

    /** The positions {@code [first, end)} of a frame; its bytes are shared, not copied. */
    static Frame rows(Frame frame, int first, int end) {
        if (first == frame.firstPosition() && end == frame.endPosition()) {
            return frame;
        }
        ByteBuffer all = frame.hidden();
        int bytesPerRow = all.remaining() / frame.tokens().length;
        int from = first - frame.firstPosition();
        int to = end - frame.firstPosition();
        ByteBuffer hidden =
                all.slice(all.position() + from * bytesPerRow, (to - from) * bytesPerRow);
        return new Frame(
                frame.session(),
                frame.epoch(),
                first,
                Arrays.copyOfRange(frame.tokens(), from, to),
                frame.wantToken() && end == frame.endPosition(),
                frame.codec(),
                hidden.order(ByteOrder.LITTLE_ENDIAN),
                frame.computedMicros());
    }

    /** Frames of one codec that follow each other, as one. */
    static Frame join(List<Frame> parts, int epoch, boolean wantToken) {
        int rows = parts.stream().mapToInt(part -> part.tokens().length).sum();
        int size = parts.stream().mapToInt(part -> part.hidden().remaining()).sum();
        int[] tokens = new int[rows];
        ByteBuffer hidden = ByteBuffer.allocate(size);
        int row = 0;
        for (Frame part : parts) {
            System.arraycopy(part.tokens(), 0, tokens, row, part.tokens().length);
            hidden.put(part.hidden().duplicate());
            row += part.tokens().length;
        }
        Frame first = parts.getFirst();
        return new Frame(
                first.session(),
                epoch,
                first.firstPosition(),
                tokens,
                wantToken,
                first.codec(),
                hidden.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN));
    }
}
