package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.crash.Ending;
import coop.sahkar.coordinator.crash.FileSteps;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Transition;
import coop.sahkar.proto.tls.Transport;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The life of a log, from its first start: commands, and restarts, each of which writes a snapshot,
 * begins a segment, purges the one before, and deletes what is older than two snapshots. Its n-th
 * command registers worker n.
 */
public final class LogLife {
    private static final int STARTS = 3;
    private static final int FIRST_PORT = 12_000;
    private static final int PORTS = 15_000;
    private static final int PORTS_TRIED = 1_000;
    private static final AtomicInteger NEXT_PORT =
            new AtomicInteger((int) ProcessHandle.current().pid() * 200 % PORTS);
    private static final int START_MILLIS = 60_000;

    /** Which worker the calling thread registers. */
    private static final ThreadLocal<Integer> NUMBER = ThreadLocal.withInitial(() -> 0);

    private LogLife() {}

    public static void main(String[] args) {
        Ending.of(() -> {
            for (int number = 1; number <= STARTS; number++) {
                try (RatisLog log = open(Path.of(args[0]))) {
                    FileSteps.attempt(number);
                    register(log, number);
                    FileSteps.acknowledge(number);
                }
            }
        });
    }

    /** Opens such a log, and waits until all that is committed is applied. */
    public static RatisLog open(Path folder) throws IOException {
        RaftNode.Address self = new RaftNode.Address("c1", "127.0.0.1", quietPort());
        return RatisLog.start(
                new RaftNode(RaftNode.UNNAMED, self, List.of(self), true),
                folder,
                () -> id(NUMBER.get()),
                START_MILLIS,
                Transport.OPEN);
    }

    /** One that the system gives to nobody who dials or asks for any. */
    private static int quietPort() throws IOException {
        IOException taken = new IOException("no port is free");
        for (int i = 0; i < PORTS_TRIED; i++) {
            int port = FIRST_PORT + NEXT_PORT.getAndIncrement() % PORTS;
            try (ServerSocket probe = new ServerSocket(port)) {
                return probe.getLocalPort();
            } catch (IOException e) {
                taken = e;
            }
        }
        throw taken;
    }

    private static CommandId id(int number) {
        return new CommandId(1, number);
    }

    private static RegisterWorker command(int number) {
        return new RegisterWorker(Fixtures.worker("w%03d".formatted(number), 1, 1));
    }

    /** Registers the n-th worker. */
    public static void register(RatisLog log, int number) {
        NUMBER.set(number);
        log.propose(command(number))
                .ifPresent(refusal -> {
                    throw new LogUnavailableException(refusal.message());
                });
    }

    /** What the state is after so many commands. */
    public static PoolState after(int commands) {
        PoolState state = PoolState.EMPTY;
        for (int number = 1; number <= commands; number++) {
            LoggedCommand logged = new LoggedCommand(id(number), command(number));
            state = Transition.apply(state, logged).state();
        }
        return state;
    }
}
