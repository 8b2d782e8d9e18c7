package coop.sahkar.coordinator.log;

import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.proto.v1.RefusalEntry;

/** Refusals, there and back. Their numbers are part of the format, whatever the enum's order. */
final class RefusalAdapter {
    private RefusalAdapter() {}

    static RefusalEntry write(Refusal refusal) {
        int reason =
                switch (refusal.reason()) {
                    case INVALID -> 1;
                    case NOT_FOUND -> 2;
                    case STALE -> 3;
                    case FULL -> 4;
                };
        return RefusalEntry.newBuilder().setReason(reason).setMessage(refusal.message()).build();
    }

    static Refusal read(RefusalEntry entry) {
        Refusal.Reason reason =
                switch (entry.getReason()) {
                    case 1 -> Refusal.Reason.INVALID;
                    case 2 -> Refusal.Reason.NOT_FOUND;
                    case 3 -> Refusal.Reason.STALE;
                    case 4 -> Refusal.Reason.FULL;
                    default ->
                            throw new LogFormatException(
                                    "a refusal has the unknown reason " + entry.getReason());
                };
        return new Refusal(reason, entry.getMessage());
    }
}
