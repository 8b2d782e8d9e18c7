package coop.sahkar.coordinator.raft;

import coop.sahkar.coordinator.log.CommandCodec;
import coop.sahkar.coordinator.state.LogBrokenException;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.LoggedCommand;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.exceptions.LeaderSteppingDownException;

/** Sends commands to whoever leads, and again to who leads next, until there is a reply. */
final class Proposals {
    /** How long a command is tried for; after that it is not sent any more. */
    static final int MOST_MILLIS = 8_000;

    /**
     * A client that failed so soon after a command was sent was closed under it, as happens when
     * members change: the command is sent again through its successor.
     */
    private static final int SOON_MILLIS = 1_000;

    private static final int AGAIN_MILLIS = 50;

    /**
     * For how long a command may be sent to another leader, under its id. The state remembers the
     * ids of more commands than there can be in this time, of which the election took a part.
     */
    private static final int TURNS_MILLIS = 3_000;

    /** How often a command that has no reply yet looks whether there is another leader. */
    private static final int TURN_MILLIS = 50;

    private final RaftClients clients;
    private final PoolMachine machine;
    private final CompletableFuture<LogBrokenException> failure;
    private final Supplier<String> leaderId;

    /**
     * @param failure done when this coordinator's own log has failed for good
     * @param leaderId who leads, as far as this coordinator knows; empty if nobody
     */
    Proposals(
            RaftClients clients,
            PoolMachine machine,
            CompletableFuture<LogBrokenException> failure,
            Supplier<String> leaderId) {
        this.clients = clients;
        this.machine = machine;
        this.failure = failure;
        this.leaderId = leaderId;
    }

    /**
     * Has a command written.
     *
     * @return the reply, which is applied here already
     * @throws LogUnavailableException in a sentence, if it was not, or nobody knows whether it was
     */
    RaftClientReply send(LoggedCommand command) {
        Message message = PoolMachine.message(CommandCodec.write(command));
        long begun = System.nanoTime();
        long deadline = begun + TimeUnit.MILLISECONDS.toNanos(MOST_MILLIS);
        long turnsUntil = begun + TimeUnit.MILLISECONDS.toNanos(TURNS_MILLIS);
        while (true) {
            String leader = leaderId.get();
            RaftClient client = clients.toward(leader);
            long soonNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SOON_MILLIS);
            try {
                CompletableFuture<RaftClientReply> sent = client.async().send(message);
                if (overtaken(sent, leader, turnsUntil)) {
                    continue; // under the same id, so that it takes effect once
                }
                RaftClientReply reply =
                        await(sent, Math.max(1, millisUntil(deadline)), MOST_MILLIS);
                machine.awaitApplied(reply.getLogIndex(), deadline);
                return reply;
            } catch (LogUnavailableException e) {
                boolean closed = clients.failed(client, e) && System.nanoTime() - soonNanos < 0;
                boolean handsOver = e.getCause() instanceof LeaderSteppingDownException;
                if (millisUntil(deadline) <= 0 || (!closed && !handsOver)) {
                    throw e;
                }
                // The leader, or the client, took nothing; it is sent again under the same id.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(AGAIN_MILLIS));
            }
        }
    }

    private static long millisUntil(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos - System.nanoTime());
    }

    /**
     * Whether another leader is known before a reply comes. The one before may be cut off without a
     * word: Ratis' client would wait for it for seconds, and ask others only then.
     */
    private boolean overtaken(
            CompletableFuture<RaftClientReply> sent, String leader, long untilNanos) {
        while (System.nanoTime() - untilNanos < 0) {
            try {
                var _ =
                        CompletableFuture.anyOf(sent, failure)
                                .get(TURN_MILLIS, TimeUnit.MILLISECONDS);
                return false;
            } catch (TimeoutException e) {
                String now = leaderId.get();
                if (!now.isEmpty() && !now.equals(leader)) {
                    return true;
                }
            } catch (ExecutionException e) {
                return false; // the reason is found by whoever takes the reply
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return false;
    }

    /** Waits for a reply, or for the end of the log, after which no reply comes. */
    RaftClientReply await(CompletableFuture<RaftClientReply> future, int timeoutMillis) {
        return await(future, timeoutMillis, timeoutMillis);
    }

    /**
     * @param allMillis of which it has waited a part already
     */
    private RaftClientReply await(
            CompletableFuture<RaftClientReply> future, long timeoutMillis, int allMillis) {
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
                    "no majority of the coordinators could be reached in %.0f s"
                            .formatted(allMillis / 1e3),
                    e);
        } catch (ExecutionException e) {
            throw new LogUnavailableException("the log did not take a command: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LogUnavailableException("interrupted while the log was written", e);
        }
    }
}
