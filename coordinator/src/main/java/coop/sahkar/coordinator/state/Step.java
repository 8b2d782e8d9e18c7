package coop.sahkar.coordinator.state;

import org.jspecify.annotations.Nullable;

/** What a command did before it is written down as done. */
record Step(PoolState state, @Nullable Refusal refusal) {
    static Step to(PoolState next) {
        return new Step(next, null);
    }

    static Step refuse(PoolState unchanged, Refusal.Reason reason, String message) {
        return new Step(unchanged, new Refusal(reason, message));
    }
}
