package coop.sahkar.coordinator;

import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.CoordinatorRecord;
import coop.sahkar.coordinator.state.FeatureLevel;
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
    public volatile long ageMillis;
    private volatile PoolState state = PoolState.EMPTY;
    private long lastId;

    /** As if every coordinator knew the highest feature level. */
    public void raise() {
        propose(
                new Command.AnnounceCoordinator(
                        new CoordinatorRecord("c1", "c1:1", FeatureLevel.KNOWN, "k1")));
        propose(new Command.RaiseLevel(FeatureLevel.KNOWN));
    }

    @Override
    public synchronized Optional<Refusal> propose(Command command) {
        Outcome outcome =
                Transition.apply(state, new LoggedCommand(new CommandId(0, ++lastId), command));
        state = outcome.state();
        return Optional.ofNullable(outcome.refusal());
    }

    @Override
    public PoolState latest() {
        return state;
    }

    @Override
    public long ageMillis() {
        return ageMillis;
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
