package coop.sahkar.worker.agent;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.RepairReply;
import coop.sahkar.proto.v1.RepairRequest;
import coop.sahkar.proto.v1.RoutesGrpc;
import coop.sahkar.worker.head.Reroute;
import coop.sahkar.worker.head.Rerouting;
import coop.sahkar.worker.ring.SessionDirectory;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks the coordinators for another route, one after the other until one has a word to say. Safe
 * for use by many threads; never waits.
 */
final class RepairCalls implements Rerouting, AutoCloseable {
    /** A coordinator that does not answer within this is passed over. */
    private static final long ANSWER_MILLIS = 1_500;

    private final Supplier<List<String>> coordinators;
    private final SessionDirectory directory;
    private final Transport transport;
    private final Map<String, ManagedChannel> channels = new LinkedHashMap<>(); // guarded by itself
    private boolean closed; // guarded by channels

    /**
     * @param coordinators every coordinator known, host:port, the one to ask first at the front
     * @param transport how they are dialled
     */
    RepairCalls(
            Supplier<List<String>> coordinators, SessionDirectory directory, Transport transport) {
        this.coordinators = coordinators;
        this.directory = directory;
        this.transport = transport;
    }

    @Override
    public void ask(SealedTicket newest, Set<String> lost, Problem why, Consumer<Reroute> answer) {
        RepairRequest request =
                RepairRequest.newBuilder()
                        .setCurrent(Tickets.toWire(newest))
                        .addAllLostWorkers(lost)
                        .setWhy(Wire.toWire(why))
                        .build();
        askNext(request, coordinators.get().iterator(), answer, null);
    }

    /** Connects to a coordinator, so that a repair need not wait for that. */
    void connect(String coordinator) {
        ManagedChannel channel = channel(coordinator);
        if (channel != null) {
            var _ = channel.getState(true);
        }
    }

    private void askNext(
            RepairRequest request,
            Iterator<String> left,
            Consumer<Reroute> answer,
            @Nullable Problem last) {
        ManagedChannel channel = left.hasNext() ? channel(left.next()) : null;
        if (channel == null) {
            answer.accept(new Reroute.NoneNow(last == null ? nobody() : last));
            return;
        }
        RoutesGrpc.newStub(channel)
                .withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                .repair(request, new Reply(request, left, answer));
    }

    private @Nullable ManagedChannel channel(String coordinator) {
        synchronized (channels) {
            return closed
                    ? null
                    : channels.computeIfAbsent(
                            coordinator,
                            address ->
                                    transport
                                            .to(address, PeerRule.COORDINATOR)
                                            .directExecutor()
                                            .build());
        }
    }

    private static Problem nobody() {
        return Problem.of(Problem.Kind.NOT_LEADER, "No coordinator is reached.");
    }

    /** What one coordinator says. */
    private final class Reply implements StreamObserver<RepairReply> {
        private final RepairRequest request;
        private final Iterator<String> left;
        private final Consumer<Reroute> answer;
        private final AtomicBoolean said = new AtomicBoolean();

        Reply(RepairRequest request, Iterator<String> left, Consumer<Reroute> answer) {
            this.request = request;
            this.left = left;
            this.answer = answer;
        }

        @Override
        public void onNext(RepairReply reply) {
            if (!said.compareAndSet(false, true)) {
                return;
            }
            switch (reply.getReplyCase()) {
                case NEXT -> enter(reply);
                case REFUSED -> {
                    Problem problem = Wire.fromWire(reply.getRefused());
                    if (reply.getAnotherHead()) {
                        answer.accept(new Reroute.AnotherHead(problem));
                    } else {
                        answer.accept(
                                problem.kind().retryable()
                                        ? new Reroute.NoneNow(problem)
                                        : new Reroute.Never(problem));
                    }
                }
                case REPLY_NOT_SET -> askNext(request, left, answer, null);
            }
        }

        private void enter(RepairReply reply) {
            switch (directory.admitHead(reply.getNext())) {
                case SessionDirectory.Admitted(SealedTicket ticket) ->
                        answer.accept(new Reroute.Found(ticket));
                case SessionDirectory.Denied(SealedTicket _, Problem problem) ->
                        answer.accept(new Reroute.NoneNow(problem));
                case SessionDirectory.Forged(Problem problem) ->
                        answer.accept(new Reroute.NoneNow(problem));
            }
        }

        @Override
        public void onError(Throwable failure) {
            if (said.compareAndSet(false, true)) {
                Status status = Status.fromThrowable(failure);
                askNext(
                        request,
                        left,
                        answer,
                        Problem.of(
                                Problem.Kind.NOT_LEADER,
                                "A coordinator did not answer (%s).".formatted(status.getCode())));
            }
        }

        @Override
        public void onCompleted() {
            if (said.compareAndSet(false, true)) {
                askNext(request, left, answer, null);
            }
        }
    }

    @Override
    public void close() {
        synchronized (channels) {
            closed = true;
            channels.values().forEach(ManagedChannel::shutdownNow);
            channels.clear();
        }
    }
}
