package coop.sahkar.coordinator.state;

import coop.sahkar.coordinator.state.Refusal.Reason;
import coop.sahkar.governance.ledger.Ledger.Result;
import coop.sahkar.governance.ledger.UsageBatch;

/** Posts what coordinators counted. */
final class UsageStep {
    private UsageStep() {}

    /** A batch that was posted already is accepted and changes nothing. */
    static Step post(PoolState state, UsageBatch batch) {
        return switch (state.ledger().post(batch, state::accountOf, state.policy().ledger())) {
            case Result.Posted(var next) -> Step.to(StateChange.ledger(state, next));
            case Result.Known() -> Step.to(state);
            case Result.OutOfTurn(long last) ->
                    Step.refuse(
                            state,
                            Reason.STALE,
                            "usage batch %s of %s is another one than this; the last is %s"
                                    .formatted(batch.sequence(), batch.coordinator(), last));
            case Result.Wrong(String sentence) -> Step.refuse(state, Reason.INVALID, sentence);
        };
    }
}
