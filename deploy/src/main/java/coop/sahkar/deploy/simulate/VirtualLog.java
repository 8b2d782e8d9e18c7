package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.Outcome;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.coordinator.state.Transition;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The log that the coordinators share, and the state that {@link Transition} makes of it: at once
 * where it is led, a little later elsewhere. Consensus itself is taken for granted; that it needs a
 * majority, takes time to elect, and leaves a leader that was cut off believing in itself, is not.
 */
final class VirtualLog {
    private static final long STEP_DOWN_MILLIS = 1500;
    private static final int LAG_MILLIS = 150;

    private final Agenda agenda;
    private final Chance chance;
    private final Trace trace;
    private final Invariants invariants;
    private final boolean replay;

    /** Draws for usage, so that it leaves the course of everything else as it is. */
    private final Chance forUsage;

    private final List<Replica> replicas = new ArrayList<>();
    private final Deque<Entry> entries = new ArrayDeque<>();
    private long firstIndex;
    private PoolState newest = PoolState.EMPTY;
    private int leader = -1;
    private boolean electing;

    private record Entry(LoggedCommand command, PoolState after) {}

    /**
     * @param forUsage draws for commands that post usage
     * @param replay whether every replica applies every command itself and must come to the same
     */
    VirtualLog(
            Agenda agenda,
            Chance chance,
            Chance forUsage,
            Trace trace,
            Invariants invariants,
            boolean replay) {
        this.agenda = agenda;
        this.chance = chance;
        this.forUsage = forUsage;
        this.trace = trace;
        this.invariants = invariants;
        this.replay = replay;
    }

    Replica replica(String id) {
        Replica replica = new Replica(id, replicas.size());
        replicas.add(replica);
        return replica;
    }

    /** What is committed. */
    PoolState newest() {
        return newest;
    }

    /** Looks whether there is a leader that a majority hears, and has one elected otherwise. */
    void settle() {
        if (leader >= 0 && !replicas.get(leader).hearsMajority()) {
            Replica old = replicas.get(leader);
            leader = -1;
            agenda.after(old.up ? chance.between(1, STEP_DOWN_MILLIS) : 0, () -> stepDown(old));
        }
        if (leader < 0 && !electing) {
            electing = true;
            agenda.after(chance.between(400, 2500), this::elect);
        }
    }

    private void stepDown(Replica old) {
        if (leader != old.index) {
            old.leads = false;
        }
    }

    private void elect() {
        electing = false;
        List<Replica> fit = replicas.stream().filter(Replica::hearsMajority).toList();
        if (leader >= 0 || fit.isEmpty()) {
            return;
        }
        Replica elected = chance.pick(fit);
        leader = elected.index;
        elected.catchUp(lastIndex());
        elected.leads = true;
        trace.say(elected.id, "leads");
    }

    private long lastIndex() {
        return firstIndex + entries.size();
    }

    private Chance dice(Command command) {
        return command instanceof Command.PostUsage ? forUsage : chance;
    }

    private Optional<Refusal> append(Command command) {
        Chance dice = dice(command);
        LoggedCommand logged = new LoggedCommand(new CommandId(dice.bits(), dice.bits()), command);
        PoolState before = newest;
        Outcome outcome = Transition.apply(before, logged);
        newest = outcome.state();
        invariants.applied(before, command, outcome);
        if (dice.happens(0.05)) {
            invariants.repeated(newest, outcome, Transition.apply(newest, logged));
        }
        entries.addLast(new Entry(logged, newest));
        return Optional.ofNullable(outcome.refusal());
    }

    private void spread(Chance dice) {
        long index = lastIndex();
        for (Replica replica : replicas) {
            if (replica.hearsMajority() && replica.applied < index) {
                agenda.after(dice.between(1, LAG_MILLIS), () -> replica.hear(index));
            }
        }
        long oldest = replicas.stream().mapToLong(r -> r.applied).min().orElse(index);
        while (firstIndex < oldest) {
            entries.removeFirst();
            firstIndex++;
        }
    }

    /** One coordinator's copy. */
    final class Replica implements ReplicatedLog {
        private final String id;
        private final int index;
        private final List<Runnable> listeners = new ArrayList<>();
        private PoolState state = PoolState.EMPTY;
        private long applied;
        private boolean up;
        private boolean cutOff;
        private boolean leads;

        private Replica(String id, int index) {
            this.id = id;
            this.index = index;
        }

        /** Starts with what is on its disk. */
        void start() {
            if (replay) {
                PoolState read = readBack(state);
                invariants.recovered(state, read);
                state = read;
            }
            listeners.clear();
            up = true;
            long there = lastIndex();
            agenda.after(chance.between(1, LAG_MILLIS), () -> hear(there));
            settle();
        }

        void stop() {
            up = false;
            settle();
        }

        /** Whether the other coordinators cannot be heard. */
        void cutOff(boolean cut) {
            cutOff = cut;
            long there = lastIndex();
            if (!cut) {
                agenda.after(chance.between(1, LAG_MILLIS), () -> hear(there));
            }
            settle();
        }

        boolean hearsMajority() {
            long together = replicas.stream().filter(r -> r.up && !r.cutOff).count();
            boolean alone = cutOff && replicas.size() > 1;
            return up && !alone && together * 2 > replicas.size();
        }

        private void hear(long untilIndex) {
            if (up && (!cutOff || replicas.size() == 1)) {
                catchUp(untilIndex);
            }
        }

        private void catchUp(long untilIndex) {
            if (applied >= untilIndex) {
                return;
            }
            int skip = (int) (applied - firstIndex);
            int at = 0;
            for (Entry entry : entries) {
                if (at >= skip && firstIndex + at < untilIndex) {
                    PoolState after =
                            replay
                                    ? Transition.apply(state, entry.command()).state()
                                    : entry.after();
                    invariants.sameEverywhere(id, entry.after(), after);
                    state = after;
                }
                at++;
            }
            applied = untilIndex;
            List.copyOf(listeners).forEach(Runnable::run);
        }

        @Override
        public PoolState state() {
            return state;
        }

        @Override
        public PoolState latest() {
            reachLeader();
            catchUp(lastIndex());
            return state;
        }

        @Override
        public long ageMillis() {
            return 0;
        }

        private void reachLeader() {
            if (leader < 0 || !hearsMajority()) {
                throw new LogUnavailableException(id + " reaches no leader");
            }
        }

        @Override
        public Optional<Refusal> propose(Command command) {
            reachLeader();
            Optional<Refusal> refusal = append(command);
            replicas.get(leader).catchUp(lastIndex());
            catchUp(lastIndex());
            spread(dice(command));
            return refusal;
        }

        @Override
        public boolean leads() {
            return leads;
        }

        @Override
        public String leaderId() {
            return leader < 0 ? "" : replicas.get(leader).id;
        }

        @Override
        public void onChange(Runnable listener) {
            listeners.add(listener);
        }
    }

    private static PoolState readBack(PoolState state) {
        try {
            return SnapshotCodec.read(new ByteArrayInputStream(SnapshotCodec.write(state)));
        } catch (IOException e) {
            throw new UncheckedIOException("reading memory cannot fail", e);
        }
    }
}
