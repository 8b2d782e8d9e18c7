package coop.sahkar.worker.ring;

import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.StageMessage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.TreeMap;

/** Writes and reads each message of a session once, for nobody, so that its code is loaded. */
public final class MessageRehearsal {
    private static final int WIDTH = 64;

    private MessageRehearsal() {}

    /**
     * Goes through them.
     *
     * @param ticket to be named in them; nobody gets it
     */
    public static void of(SealedTicket ticket) {
        SessionId id = ticket.ticket().session();
        Sampling sampling = new Sampling(0, 0, 1, 0, 1, 1, 0, 0, 0, new TreeMap<>(), 0);
        ByteBuffer hidden = ByteBuffer.allocate(WIDTH * Float.BYTES);
        StageMessage.Frame frame =
                new StageMessage.Frame(
                        id,
                        1,
                        0,
                        new int[1],
                        true,
                        HiddenCodec.F32,
                        hidden.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN));
        List<StageMessage> messages =
                List.of(
                        new StageMessage.Open(ticket, 1, sampling),
                        new StageMessage.Frames(List.of(frame)),
                        new StageMessage.Tokens(List.of(new StageMessage.Token(id, 1, 1, 0))),
                        new StageMessage.Progress(id, 1, 1),
                        new StageMessage.NeedFrom(id, 1, 0),
                        new StageMessage.Close(id, 1));
        for (HiddenCodec codec : HiddenCodec.values()) {
            messages.forEach(message -> read(MessagePublisher.toWire(message, codec)));
        }
    }

    private static void read(RingMessage message) {
        try {
            var _ = RingMessage.parseFrom(message.toByteArray());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a message of our own cannot be read", e);
        }
    }
}
