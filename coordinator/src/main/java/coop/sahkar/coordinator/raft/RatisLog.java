package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.log.CommandCodec;
import coop.sahkar.coordinator.log.OutcomeCodec;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.CommandId;
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
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.retry.RetryPolicies;
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
    private static final int PROPOSAL_MILLIS = 8_000;
    private static final int RETRY_MILLIS = 100;
    private static final int LOOK_MILLIS = 10;

    /** What Linux and macOS say of a full disk. */
    private static final String NO_SPACE = "No space left";

    private final RaftServer server;
    private final RaftClient client;
    private final PoolMachine machine;
    private final Supplier<CommandId> ids;
    private final CompletableFuture<LogBrokenException> failure = new CompletableFuture<>();
    private volatile boolean closing;

    private RatisLog(
            RaftServer server,
            RaftClient client,
            PoolMachine machine,
            Path directory,
            Supplier<CommandId> ids) {
        this.server = server;
        this.client = client;
        this.machine = machine;
        this.ids = ids;
        var _ =
                machine.broken()
                        .thenAccept(cause -> {
                            if (!closing) {
                                failure.complete(unwritable(directory, cause));
                            }
                        });
    }

    private static LogBrokenException unwritable(Path directory, Throwable cause) {
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
        RaftProperties properties = RaftSettings.of(node, directory.toFile());
        PoolMachine machine = new PoolMachine();
        Parameters parameters = RaftTls.parameters(transport);
        RaftServer server = serve(node, directory.toFile(), properties, parameters, machine);
        RaftClient client =
                RaftClient.newBuilder()
                        .setProperties(properties)
                        .setParameters(parameters)
                        .setRaftGroup(node.group())
                        .setLeaderId(node.single() ? node.peerId() : null)
                        .setRetryPolicy(
                                RetryPolicies.retryForeverWithSleep(
                                        RaftSettings.millis(RETRY_MILLIS)))
                        .build();
        RatisLog log = new RatisLog(server, client, machine, directory, ids);
        try {
            log.catchUp(timeoutMillis);
            return log;
        } catch (LogUnavailableException e) {
            log.close();
            throw e;
        }
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
            server =
                    RaftServer.newBuilder()
                            .setServerId(node.peerId())
                            .setGroup(node.group())
                            .setProperties(properties)
                            .setParameters(parameters)
                            .setOption(RaftStorage.StartupOption.RECOVER)
                            .setStateMachine(machine)
                            .build();
            server.start();
            return server;
        } catch (IOException | RuntimeException e) {
            closeQuietly(server);
            if (rootOf(e).contains(NO_SPACE)) {
                throw unwritable(directory.toPath(), e);
            }
            throw new LogUnavailableException(
                    ("the log in %s cannot be opened (%s): put back a copy of the directory, "
                                    + "or start with an empty one")
                            .formatted(directory, rootOf(e)),
                    e);
        }
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

    /** A linearizable read answers once everything committed before it is applied here. */
    private void catchUp(int timeoutMillis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
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
            if (leaderId().isEmpty()) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS));
            } else if (readThrough((int) leftMillis)) {
                return;
            }
        }
    }

    private boolean readThrough(int timeoutMillis) {
        try {
            await(client.async().sendReadOnly(Message.EMPTY), timeoutMillis);
            return true;
        } catch (LogUnavailableException e) {
            LOG.debug("the log is not ready yet", e);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS));
            return false;
        }
    }

    @Override
    public Optional<Refusal> propose(Command command) {
        byte[] bytes = CommandCodec.write(new LoggedCommand(ids.get(), command));
        RaftClientReply reply =
                await(client.async().send(PoolMachine.message(bytes)), PROPOSAL_MILLIS);
        return Optional.ofNullable(
                OutcomeCodec.read(PoolMachine.bytes(reply.getMessage().getContent())));
    }

    /** Waits for a reply, or for the end of the log, after which no reply comes. */
    private RaftClientReply await(CompletableFuture<RaftClientReply> future, int timeoutMillis) {
        try {
            var _ =
                    CompletableFuture.anyOf(future, failure)
                            .get(timeoutMillis, TimeUnit.MILLISECONDS);
            if (!future.isDone()) {
                future.cancel(true);
                throw failure.join();
            }
            RaftClientReply reply = future.join();
            if (!reply.isSuccess()) {
                throw new LogUnavailableException(
                        "the log did not take a command: " + reply.getException().getMessage(),
                        reply.getException());
            }
            return reply;
        } catch (TimeoutException e) {
            future.cancel(true);
            throw new LogUnavailableException(
                    "no majority of the coordinators could be reached in %d s"
                            .formatted(timeoutMillis / 1000),
                    e);
        } catch (ExecutionException e) {
            throw new LogUnavailableException("the log did not take a command: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LogUnavailableException("interrupted while the log was written", e);
        }
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
            return Optional.of(server.getDivision(RaftNode.groupId()).getInfo());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        closing = true;
        try {
            client.close();
        } catch (IOException e) {
            LOG.debug("the log's client did not close cleanly", e);
        }
        try {
            server.close();
        } catch (IOException e) {
            LOG.warn("the log did not close cleanly: {}", e.getMessage());
        }
    }
}
