package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.Fixtures;
import coop.sahkar.coordinator.crash.FileSteps;
import coop.sahkar.coordinator.state.Command.RegisterWorker;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LogUnavailableException;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The life of a log, from its first start: commands, and restarts, each of which writes a snapshot,
 * begins a segment, purges the one before, and deletes what is older than two snapshots. Its n-th
 * command registers worker n.
 */
public final class LogLife {
    private static final int STARTS = 3;
    private static final int COMMANDS_EACH = 1;
    private static final int FIRST_PORT = 12_000;
    private static final int PORTS = 15_000;
    private static final int PORTS_TRIED = 1_000;
    private static final AtomicInteger NEXT_PORT =
            new AtomicInteger((int) ProcessHandle.current().pid() * 200 % PORTS);
    private static final int START_MILLIS = 60_000;

    private LogLife() {}

    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        FileSteps.arm();
        int commands = 0;
        for (int start = 0; start < STARTS; start++) {
            try (RatisLog log = open(folder)) {
                for (int i = 0; i < COMMANDS_EACH; i++) {
                    commands++;
                    FileSteps.attempt(commands);
                    register(log, commands);
                    FileSteps.acknowledge(commands);
                }
            }
        }
        FileSteps.step("end");
        FileSteps.disarm();
    }

    /** Opens such a log, and waits until all that is committed is applied. */
    public static RatisLog open(Path folder) throws IOException {
        RaftNode.Address self = new RaftNode.Address("c1", "127.0.0.1", quietPort());
        AtomicLong ids = new AtomicLong(System.nanoTime());
        return RatisLog.start(
                new RaftNode(RaftNode.UNNAMED, self, List.of(self), true),
                folder,
                () -> new CommandId(1, ids.incrementAndGet()),
                START_MILLIS);
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

    /** Registers the n-th worker. */
    public static void register(RatisLog log, int number) {
        log.propose(new RegisterWorker(Fixtures.worker(name(number), 1, 1)))
                .ifPresent(refusal -> {
                    throw new LogUnavailableException(refusal.message());
                });
    }

    /** What the n-th worker is called. */
    public static String name(int number) {
        return "w%03d".formatted(number);
    }
}
