package coop.sahkar.proto;

import coop.sahkar.proto.v1.ProtocolVersion;
import java.util.Optional;

/** Whether two ends of a connection understand each other. */
public final class ProtocolVersions {
    private ProtocolVersions() {}

    /** What this side says of itself. */
    public static ProtocolVersion ours() {
        return ProtocolVersion.newBuilder()
                .setSpeaks(Limits.PROTOCOL_VERSION)
                .setUnderstandsFrom(Limits.OLDEST_PROTOCOL_VERSION)
                .build();
    }

    /**
     * Compares what the other side said with what is spoken here.
     *
     * @param theirs what the other side said
     * @param who how to call the other side in the sentence, e.g. {@code worker w1}
     * @return why the two cannot work together and which of them to upgrade; empty when they can
     */
    public static Optional<Problem> check(ProtocolVersion theirs, String who) {
        return check(theirs, who, ours());
    }

    static Optional<Problem> check(ProtocolVersion theirs, String who, ProtocolVersion ours) {
        int speaks = theirs.getSpeaks();
        int understandsFrom = theirs.getUnderstandsFrom();
        if (speaks < 1 || understandsFrom < 1 || understandsFrom > speaks) {
            return Optional.of(
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            who + " does not say which protocol it speaks; is it Sahkar at all?"));
        }
        if (speaks < ours.getUnderstandsFrom()) {
            return Optional.of(
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            "%s speaks protocol %d, too old for this side, which understands %d to %d; upgrade %s."
                                    .formatted(
                                            who,
                                            speaks,
                                            ours.getUnderstandsFrom(),
                                            ours.getSpeaks(),
                                            who)));
        }
        if (understandsFrom > ours.getSpeaks()) {
            return Optional.of(
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            "%s understands protocol %d to %d, this side speaks %d; upgrade this side."
                                    .formatted(who, understandsFrom, speaks, ours.getSpeaks())));
        }
        return Optional.empty();
    }
}
