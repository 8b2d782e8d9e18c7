package coop.sahkar.coordinator;

import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.Outcome;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.coordinator.state.Transition;
import java.util.Optional;

/** A log of one, in memory, whose leader a test chooses. */
public final class FakeLog implements ReplicatedLog {
    public volatile String leader = "c1";
    private volatile PoolState state = PoolState.EMPTY;
    private long lastId;

    @Override
    public synchronized Optional<Refusal> propose(Command command) {
        Outcome outcome =
                Transition.apply(state, new LoggedCommand(new CommandId(0, ++lastId), command));
        state = outcome.state();
        return Optional.ofNullable(outcome.refusal());
    }

    @Override
    public boolean leads() {
        return leader.equals("c1");
    }

    @Override
    public String leaderId() {
        return leader;
    }

    @Override
    public void onChange(Runnable listener) {}

    @Override
    public PoolState state() {
        return state;
    }
}
