package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.log.CommandCodec;
import coop.sahkar.coordinator.log.OutcomeCodec;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.CommandId;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.LoggedCommand;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import java.io.File;
import java.io.IOException;
import java.net.BindException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.retry.RetryPolicies;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The replicated log on Apache Ratis: one node or several, the same code. */
public final class RatisLog implements ReplicatedLog, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RatisLog.class);
    private static final int PROPOSAL_MILLIS = 15_000;
    private static final int RETRY_MILLIS = 100;

    private final RaftServer server;
    private final RaftClient client;
    private final PoolMachine machine;
    private final Supplier<CommandId> ids;

    private RatisLog(
            RaftServer server, RaftClient client, PoolMachine machine, Supplier<CommandId> ids) {
        this.server = server;
        this.client = client;
        this.machine = machine;
        this.ids = ids;
    }

    /**
     * Starts this coordinator's node and waits until it has applied everything committed so far.
     *
     * @param node its place among the coordinators
     * @param directory where log and snapshots live; made if absent
     * @param ids draws command ids
     * @param timeoutMillis how long to wait for a leader
     * @throws LogUnavailableException in a sentence, when it cannot
     */
    public static RatisLog start(
            RaftNode node, Path directory, Supplier<CommandId> ids, int timeoutMillis) {
        RaftProperties properties = RaftSettings.of(node, directory.toFile());
        PoolMachine machine = new PoolMachine();
        RaftServer server = serve(node, directory.toFile(), properties, machine);
        RaftClient client =
                RaftClient.newBuilder()
                        .setProperties(properties)
                        .setRaftGroup(node.group())
                        .setLeaderId(node.single() ? node.peerId() : null)
                        .setRetryPolicy(
                                RetryPolicies.retryForeverWithSleep(
                                        RaftSettings.millis(RETRY_MILLIS)))
                        .build();
        RatisLog log = new RatisLog(server, client, machine, ids);
        try {
            log.catchUp(timeoutMillis);
            return log;
        } catch (LogUnavailableException e) {
            log.close();
            throw e;
        }
    }

    private static RaftServer serve(
            RaftNode node, File directory, RaftProperties properties, PoolMachine machine) {
        try {
            RaftServer server =
                    RaftServer.newBuilder()
                            .setServerId(node.peerId())
                            .setGroup(node.group())
                            .setProperties(properties)
                            .setOption(RaftStorage.StartupOption.RECOVER)
                            .setStateMachine(machine)
                            .build();
            try {
                server.start();
            } catch (IOException | RuntimeException e) {
                server.close();
                throw e;
            }
            return server;
        } catch (IOException | RuntimeException e) {
            throw new LogUnavailableException(whyNot(node, directory, e), e);
        }
    }

    private static String whyNot(RaftNode node, File directory, Exception failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            if (cause instanceof BindException) {
                break;
            }
            cause = cause.getCause();
        }
        if (cause instanceof BindException) {
            return "port %d on %s is taken: stop what listens there or choose another --raft-port"
                    .formatted(node.self().port(), node.self().host());
        }
        return "the log in %s cannot be opened (%s): put back a copy of the directory, or start with an empty one"
                .formatted(directory, cause.getMessage());
    }

    private void catchUp(int timeoutMillis) {
        await(client.async().sendReadOnly(Message.EMPTY), timeoutMillis);
    }

    @Override
    public Optional<Refusal> propose(Command command) {
        byte[] bytes = CommandCodec.write(new LoggedCommand(ids.get(), command));
        RaftClientReply reply =
                await(client.async().send(PoolMachine.message(bytes)), PROPOSAL_MILLIS);
        return Optional.ofNullable(
                OutcomeCodec.read(PoolMachine.bytes(reply.getMessage().getContent())));
    }

    private static RaftClientReply await(
            CompletableFuture<RaftClientReply> future, int timeoutMillis) {
        try {
            RaftClientReply reply = future.get(timeoutMillis, TimeUnit.MILLISECONDS);
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

    @Override
    public boolean leads() {
        return info().map(i -> i.isLeader() && i.isLeaderReady()).orElse(false);
    }

    @Override
    public String leaderId() {
        return info().map(DivisionInfo::getLeaderId).map(RaftPeerId::toString).orElse("");
    }

    private Optional<DivisionInfo> info() {
        try {
            return Optional.of(server.getDivision(RaftNode.groupId()).getInfo());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
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
