package coop.sahkar.coordinator.log;

import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.proto.v1.AppliedEntry;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** What became of a command, as the answer to who proposed it. */
public final class OutcomeCodec {
    private OutcomeCodec() {}

    /** Writes a refusal, or its absence. */
    public static byte[] write(@Nullable Refusal refusal) {
        AppliedEntry.Builder entry = AppliedEntry.newBuilder();
        if (refusal != null) {
            entry.setRefusal(RefusalAdapter.write(refusal));
        }
        return entry.build().toByteArray();
    }

    /** Reads a refusal; null when the command was accepted. */
    public static @Nullable Refusal read(ByteBuffer bytes) {
        try {
            AppliedEntry entry = AppliedEntry.parseFrom(bytes);
            return entry.hasRefusal() ? RefusalAdapter.read(entry.getRefusal()) : null;
        } catch (InvalidProtocolBufferException e) {
            throw new LogFormatException("an answer of the log is garbled: " + e.getMessage());
        }
    }
}
