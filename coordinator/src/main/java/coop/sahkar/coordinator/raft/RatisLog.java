package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.log.LogFormatException;
import coop.sahkar.coordinator.log.OutcomeCodec;
import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.FeatureLevel;
import coop.sahkar.coordinator.state.LogBrokenException;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.proto.tls.Transport;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.util.ExitUtils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The replicated log on Apache Ratis: one node or several, the same code. */
public final class RatisLog implements ReplicatedLog, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RatisLog.class);

    private static final int READ_MILLIS = 3_000;
    private static final int LOOK_MILLIS = 10;
    private static final int PROBE_MILLIS = 2_000;

    private final RaftNode node;
    private final Path directory;
    private final RaftServer server;
    private final PoolMachine machine;
    private final RaftClients clients;
    private final Proposals proposals;
    private final Supplier<CommandId> ids;
    private final CompletableFuture<LogBrokenException> failure = new CompletableFuture<>();
    private final Barriers barriers = new Barriers(this::barrier);
    private final Freshness freshness = new Freshness(this::ask);
    private volatile boolean closing;

    private RatisLog(
            RaftNode node,
            RaftServer server,
            PoolMachine machine,
            Path directory,
            RaftProperties properties,
            Parameters parameters,
            Supplier<CommandId> ids) {
        this.node = node;
        this.directory = directory;
        this.server = server;
        this.machine = machine;
        this.ids = ids;
        this.clients = new RaftClients(node, properties, parameters);
        this.proposals = new Proposals(clients, machine, failure, this::leaderId);
        machine.onMembers(this::meetMembers);
        meetMembers();
        var _ =
                machine.broken()
                        .thenAccept(cause -> {
                            if (!closing) {
                                failure.complete(unwritable(directory, cause));
                            }
                        });
    }

    private static LogBrokenException unwritable(Path directory, Throwable cause) {
        if (cause instanceof LogFormatException) {
            return new LogBrokenException(
                    "the log in %s cannot be read on by this release: %s"
                            .formatted(directory, cause.getMessage()),
                    cause);
        }
        return new LogBrokenException(
                ("the log in %s cannot be written (%s): see that there is room on its "
                                + "disk, then start this coordinator again")
                        .formatted(directory, rootOf(cause)),
                cause);
    }

    /**
     * Starts this coordinator's node and waits until it has applied everything committed so far.
     *
     * @param node its place among the coordinators
     * @param directory where log and snapshots live; made if absent
     * @param ids draws command ids
     * @param timeoutMillis how long to wait for a leader
     * @param transport how coordinators speak with each other
     * @throws LogUnavailableException in a sentence, when it cannot
     */
    public static RatisLog start(
            RaftNode node,
            Path directory,
            Supplier<CommandId> ids,
            int timeoutMillis,
            Transport transport) {
        RatisLog log = open(node, directory, ids, transport);
        try {
            log.catchUp(timeoutMillis);
            return log;
        } catch (LogUnavailableException e) {
            log.close();
            throw e;
        }
    }

    /**
     * Starts this coordinator's node and does not wait for others: one that is to join is not among
     * them yet.
     *
     * @param transport how coordinators speak with each other
     * @throws LogUnavailableException in a sentence, when it cannot
     */
    public static RatisLog open(
            RaftNode node, Path directory, Supplier<CommandId> ids, Transport transport) {
        return open(node, directory, ids, transport, PoolState.EMPTY);
    }

    private static RatisLog open(
            RaftNode node,
            Path directory,
            Supplier<CommandId> ids,
            Transport transport,
            PoolState first) {
        RaftProperties properties = RaftSettings.of(node, directory.toFile());
        Parameters parameters = RaftTls.parameters(transport);
        PoolMachine machine = new PoolMachine(first);
        RaftServer server = serve(node, directory.toFile(), properties, parameters, machine);
        RatisLog log = new RatisLog(node, server, machine, directory, properties, parameters, ids);
        log.freshness.start();
        return log;
    }

    /**
     * Makes a log of one member that begins with a state: a snapshot of it, and no entries before,
     * so that whoever joins later is sent the snapshot.
     *
     * @param directory empty or absent
     * @throws LogUnavailableException in a sentence, when it cannot
     */
    public static void restore(
            RaftNode node,
            Path directory,
            Supplier<CommandId> ids,
            PoolState state,
            int timeoutMillis)
            throws IOException {
        RatisLog begun = open(node, directory, ids, Transport.OPEN, state);
        try (begun) {
            begun.catchUp(timeoutMillis);
            begun.awaitFirstEntry(timeoutMillis);
        }
        if (begun.machine.getLatestSnapshot() == null) {
            begun.machine.takeSnapshot(); // Ratis leaves it out when its end overtakes it
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path segment : files.filter(RatisLog::isSegment).toList()) {
                Files.delete(segment);
            }
        }
        try (RatisLog log = open(node, directory, ids, Transport.OPEN)) {
            log.catchUp(timeoutMillis);
            if (!Arrays.equals(SnapshotCodec.write(log.state()), SnapshotCodec.write(state))) {
                throw new LogUnavailableException(
                        "what was restored to %s is not what was backed up".formatted(directory));
            }
        }
    }

    /** A snapshot needs an entry that it comes behind; reads are answered a moment before. */
    private void awaitFirstEntry(int timeoutMillis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        while (machine.getLastAppliedTermIndex().getIndex() < 0) {
            if (System.nanoTime() > deadline) {
                throw new LogUnavailableException("the new log was not begun: try again");
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS));
        }
    }

    private static boolean isSegment(Path file) {
        return file.getFileName().toString().startsWith("log_");
    }

    /** Speaks to the members there are now; they may have changed. */
    private void meetMembers() {
        try {
            RaftServer.Division division = server.getDivision(node.group());
            clients.meet(RaftMembers.reached(node, division.getRaftConf()));
        } catch (IOException | RuntimeException e) {
            LOG.debug("the members are not known yet", e);
        }
    }

    /** The coordinators that share this log. */
    public RaftMembers members() {
        return new RaftMembers(node, server, clients);
    }

    private static RaftServer serve(
            RaftNode node,
            File directory,
            RaftProperties properties,
            Parameters parameters,
            PoolMachine machine) {
        // Ratis ends the process when its port is taken or its log breaks; others live in it too.
        ExitUtils.disableSystemExit();
        refuseTakenPort(node);
        RaftServer server = null;
        try {
            VoteFile.mend(directory.toPath(), node);
            server =
                    RaftServer.newBuilder()
                            .setServerId(node.peerId())
                            .setGroup(node.foundersGroup())
                            .setProperties(properties)
                            .setParameters(parameters)
                            .setOption(RaftStorage.StartupOption.RECOVER)
                            .setStateMachine(machine)
                            .build();
            server.start();
            return server;
        } catch (IOException | RuntimeException e) {
            closeQuietly(server);
            refuseUnwritable(directory.toPath());
            throw new LogUnavailableException(
                    ("the log in %s cannot be opened (%s): put back a copy of the directory, "
                                    + "or start with an empty one")
                            .formatted(directory, rootOf(e)),
                    e);
        }
    }

    private static void refuseUnwritable(Path directory) {
        WriteProbe.refusal(directory)
                .ifPresent(cause -> {
                    throw unwritable(directory, cause);
                });
    }

    private static void refuseTakenPort(RaftNode node) {
        RaftNode.Address self = node.self();
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(self.host(), self.port()));
        } catch (IOException e) {
            throw new LogUnavailableException(
                    ("port %d on %s is taken or not ours (%s): stop what listens there or "
                                    + "choose another for the log")
                            .formatted(self.port(), self.host(), e.getMessage()),
                    e);
        }
    }

    private static String rootOf(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage());
    }

    private static void closeQuietly(@Nullable RaftServer server) {
        try {
            if (server != null) {
                server.close();
            }
        } catch (IOException | RuntimeException e) {
            LOG.debug("the log did not close cleanly", e);
        }
    }

    /**
     * Waits until what was committed so far is applied here: Ratis' own read of this member answers
     * then. In the second after another leader was elected it may miss the newest; see {@link
     * #latest}.
     *
     * @throws LogUnavailableException in a sentence, if it takes longer, or the disk takes nothing
     */
    public void catchUp(int timeoutMillis) {
        long began = System.nanoTime();
        long deadline = began + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        long probeAt = began + TimeUnit.MILLISECONDS.toNanos(PROBE_MILLIS);
        while (true) {
            if (failure.isDone()) {
                throw failure.join();
            }
            long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (leftMillis <= 0) {
                throw new LogUnavailableException(
                        ("no majority of the coordinators could be reached in %d s: start "
                                        + "the others, or check the peers' addresses")
                                .formatted(timeoutMillis / 1000));
            }
            if (System.nanoTime() - probeAt > 0) {
                refuseUnwritable(directory);
                probeAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PROBE_MILLIS);
            }
            if (leaderId().isEmpty() || !members().hasSelf()) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS));
            } else if (readThrough((int) leftMillis)) {
                return;
            }
        }
    }

    private boolean readThrough(int timeoutMillis) {
        long begunNanos = System.nanoTime();
        try {
            meetMembers();
            int most = Math.min(timeoutMillis, READ_MILLIS);
            proposals.await(
                    clients.now().async().sendReadOnlyUnordered(Message.EMPTY, node.peerId()),
                    most);
            freshness.known(begunNanos);
            return true;
        } catch (LogUnavailableException e) {
            LOG.debug("the log is not ready yet", e);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS));
            return false;
        }
    }

    @Override
    public Optional<Refusal> propose(Command command) {
        long begunNanos = System.nanoTime();
        RaftClientReply reply = proposals.send(new LoggedCommand(ids.get(), command));
        freshness.known(begunNanos);
        return Optional.ofNullable(
                OutcomeCodec.read(PoolMachine.bytes(reply.getMessage().getContent())));
    }

    @Override
    public PoolState latest() {
        barriers.pass(Proposals.MOST_MILLIS);
        return state();
    }

    private void barrier() {
        if (state().cluster().level() >= FeatureLevel.PARTS) {
            propose(new Command.Barrier());
        } else {
            catchUp(Proposals.MOST_MILLIS);
        }
    }

    private void ask() {
        if (!failure.isDone() && !leaderId().isEmpty() && members().hasSelf()) {
            readThrough(READ_MILLIS);
        }
    }

    @Override
    public long ageMillis() {
        return freshness.ageMillis();
    }

    @Override
    public PoolState state() {
        return machine.state();
    }

    @Override
    public void onChange(Runnable listener) {
        machine.onChange(listener);
    }

    /**
     * Done when this coordinator's own log has failed for good, as on a full disk. Nothing that was
     * accepted is lost; the coordinator has to start again.
     */
    public CompletableFuture<LogBrokenException> failure() {
        return failure.copy();
    }

    @Override
    public boolean leads() {
        return info().map(i -> i.isLeader() && i.isLeaderReady()).orElse(false);
    }

    @Override
    public String leaderId() {
        return info().map(DivisionInfo::getLeaderId).map(RaftPeerId::toString).orElse("");
    }

    private Optional<DivisionInfo> info() {
        if (failure.isDone()) {
            return Optional.empty();
        }
        try {
            return Optional.of(server.getDivision(node.group()).getInfo());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        closing = true;
        freshness.close();
        clients.close();
        try {
            server.close();
        } catch (IOException e) {
            LOG.warn("the log did not close cleanly: {}", e.getMessage());
        }
    }
}
