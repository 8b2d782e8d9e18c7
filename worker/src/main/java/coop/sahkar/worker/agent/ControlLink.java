package coop.sahkar.worker.agent;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.CoordinatorMessage;
import coop.sahkar.proto.v1.PeerLatencies;
import coop.sahkar.proto.v1.Reachability;
import coop.sahkar.proto.v1.Welcome;
import coop.sahkar.proto.v1.WorkerControlGrpc;
import coop.sahkar.proto.v1.WorkerHello;
import coop.sahkar.proto.v1.WorkerLeaving;
import coop.sahkar.proto.v1.WorkerMessage;
import coop.sahkar.proto.v1.WorkerReport;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stream to one coordinator: hello, then reports; it comes back by itself, for ever. Everything
 * here happens on the one thread it is given.
 */
final class ControlLink {
    private static final Logger LOG = LoggerFactory.getLogger(ControlLink.class);
    private static final long WELCOME_MILLIS = 10_000;
    private static final long KEEP_ALIVE_SECONDS = 10;
    private static final long KEEP_ALIVE_TIMEOUT_SECONDS = 5;
    private static final int MIN_INTERVAL_MILLIS = 50;
    private static final int MAX_INTERVAL_MILLIS = 60_000;
    private static final int MAX_ASSIGNMENT_BYTES = 8 << 20;

    private final String coordinator;
    private final WorkerHello hello;
    private final Supplier<WorkerReport.Builder> reports;
    private final ControlEvents events;
    private final ScheduledExecutorService thread;
    private final ControlPace pace;
    private final RandomGenerator random;
    private final ManagedChannel channel;

    private @Nullable Attachment attachment;
    private @Nullable Future<?> retry;
    private int failures;
    private boolean closed;
    private @Nullable String leaving;
    private String lastReason = "";

    /**
     * Prepares a link; {@link #start} sets it to work.
     *
     * @param coordinator host:port
     * @param reports the worker's state at this moment, without a sequence number
     * @param transport how the coordinator is dialled
     * @param thread one thread, on which {@code events} and {@code reports} are called too
     */
    ControlLink(
            String coordinator,
            WorkerHello hello,
            Supplier<WorkerReport.Builder> reports,
            ControlEvents events,
            ScheduledExecutorService thread,
            ControlPace pace,
            RandomGenerator random,
            Transport transport) {
        this.coordinator = coordinator;
        this.hello = hello;
        this.reports = reports;
        this.events = events;
        this.thread = thread;
        this.pace = pace;
        this.random = random;
        this.channel =
                transport
                        .to(coordinator, PeerRule.COORDINATOR)
                        .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                        .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                        .maxInboundMessageSize(MAX_ASSIGNMENT_BYTES)
                        .build();
    }

    void start() {
        attach();
    }

    /** Reports at once, because something has changed. */
    void changed() {
        Attachment open = attachment;
        if (open != null && open.welcomed) {
            open.report();
        }
    }

    /** Tells how far peers are, if the coordinator is there to hear it. */
    void measured(PeerLatencies latencies) {
        Attachment open = attachment;
        if (open != null && open.welcomed) {
            open.send(WorkerMessage.newBuilder().setLatencies(latencies).build());
        }
    }

    /** Says that the worker is about to leave; it reports on. */
    void leaving(String reason) {
        leaving = reason;
        Attachment open = attachment;
        if (open != null && open.welcomed) {
            open.sayLeaving(reason);
        }
    }

    /** Says goodbye and comes back no more. */
    void leave(String reason) {
        closed = true;
        if (retry != null) {
            retry.cancel(false);
        }
        Attachment open = attachment;
        attachment = null;
        if (open != null) {
            open.leave(reason);
        }
        channel.shutdown();
    }

    /** Ends without a goodbye: the coordinator is reached through another link. */
    void forget() {
        closed = true;
        Attachment open = attachment;
        attachment = null;
        if (open != null) {
            open.cancelTimers();
            open.finish();
        }
        channel.shutdown();
    }

    /** Waits until what was said at {@link #leave} is on its way; ends the connection then. */
    void awaitGone(long millis) throws InterruptedException {
        if (!channel.awaitTermination(millis, TimeUnit.MILLISECONDS)) {
            channel.shutdownNow();
        }
    }

    private void attach() {
        if (closed) {
            return;
        }
        channel.resetConnectBackoff(); // it has waited as long as it was to
        Attachment fresh = new Attachment();
        attachment = fresh;
        fresh.open();
    }

    private void lost(Attachment which, String why, Backoff wait) {
        if (which != attachment || closed) {
            return;
        }
        which.cancelTimers();
        attachment = null;
        failures++;
        if (!why.equals(lastReason)) {
            LOG.info("{}: {}; trying again", coordinator, why);
            lastReason = why;
        }
        events.detached(coordinator, why);
        long millis = wait.millis(failures, random);
        retry = thread.schedule(this::attach, millis, TimeUnit.MILLISECONDS);
    }

    /** One stream, from hello to its end. */
    private final class Attachment implements StreamObserver<CoordinatorMessage> {
        private @Nullable StreamObserver<WorkerMessage> out;
        private @Nullable Future<?> timer;
        private boolean welcomed;
        private long sequence;

        void open() {
            StreamObserver<WorkerMessage> stream = WorkerControlGrpc.newStub(channel).attach(this);
            out = stream;
            send(WorkerMessage.newBuilder().setHello(hello).build());
            timer =
                    thread.schedule(
                            () -> abandon("it has not answered"),
                            WELCOME_MILLIS,
                            TimeUnit.MILLISECONDS);
        }

        private void send(WorkerMessage message) {
            StreamObserver<WorkerMessage> stream = out;
            if (stream != null) {
                try {
                    stream.onNext(message);
                } catch (IllegalStateException e) {
                    LOG.debug("{}: the stream has ended already", coordinator, e);
                }
            }
        }

        @Override
        public void onNext(CoordinatorMessage message) {
            thread.execute(() -> take(message));
        }

        @Override
        public void onError(Throwable failure) {
            Status status = Status.fromThrowable(failure);
            String description = status.getDescription();
            String why = description == null ? status.getCode().toString() : description;
            end("the coordinator is not reached (" + why + ")");
        }

        @Override
        public void onCompleted() {
            end("the coordinator ended the connection");
        }

        private void end(String why) {
            if (!thread.isShutdown()) {
                thread.execute(() -> lost(this, why, pace.lost()));
            }
        }

        private void take(CoordinatorMessage message) {
            if (this != attachment) {
                return;
            }
            switch (message.getMessageCase()) {
                case WELCOME -> welcome(message.getWelcome());
                case ASSIGNMENT -> {
                    if (welcomed) {
                        events.assigned(coordinator, message.getAssignment());
                    } else {
                        abandon("it sent an assignment before its welcome");
                    }
                }
                case REACHABILITY -> dialled(message.getReachability());
                case MEASURE -> {
                    if (welcomed) {
                        events.measure(coordinator, message.getMeasure());
                    }
                }
                case COORDINATORS ->
                        events.coordinators(
                                coordinator, message.getCoordinators().getGatewaysList());
                case REFUSED -> refuse(Wire.fromWire(message.getRefused()));
                case REVOCATIONS -> {
                    if (welcomed) {
                        events.revoked(coordinator, message.getRevocations());
                    }
                }
                // A newer coordinator may say things that are not known here.
                case MESSAGE_NOT_SET -> {}
            }
        }

        private void welcome(Welcome welcome) {
            Optional<Problem> mismatch =
                    ProtocolVersions.check(welcome.getProtocol(), "coordinator " + coordinator);
            if (mismatch.isPresent()) {
                refuse(mismatch.get());
                return;
            }
            cancelTimers();
            welcomed = true;
            failures = 0;
            lastReason = "";
            int interval =
                    Math.clamp(
                            welcome.getReportIntervalMillis(),
                            MIN_INTERVAL_MILLIS,
                            MAX_INTERVAL_MILLIS);
            events.welcomed(coordinator, welcome);
            if (leaving != null) {
                sayLeaving(leaving);
            }
            timer = thread.scheduleWithFixedDelay(this::report, 0, interval, TimeUnit.MILLISECONDS);
        }

        private void dialled(Reachability found) {
            String reason = found.getReason();
            String shown = reason.substring(0, Math.min(reason.length(), Limits.MAX_ERROR_CHARS));
            events.dialled(
                    coordinator, found.getReachable() ? Optional.empty() : Optional.of(shown));
        }

        private void report() {
            send(
                    WorkerMessage.newBuilder()
                            .setReport(reports.get().setSequence(++sequence))
                            .build());
        }

        private void refuse(Problem problem) {
            String why = problem.message();
            String sentence = why.substring(0, Math.min(why.length(), Limits.MAX_ERROR_CHARS));
            LOG.warn("{} does not let this worker in: {}", coordinator, sentence);
            finish();
            lost(this, "refused: " + sentence, pace.after(problem.kind()));
        }

        private void abandon(String why) {
            finish();
            lost(this, why, pace.lost());
        }

        void leave(String reason) {
            cancelTimers();
            sayLeaving(reason);
            finish();
        }

        void sayLeaving(String reason) {
            send(
                    WorkerMessage.newBuilder()
                            .setLeaving(WorkerLeaving.newBuilder().setReason(reason))
                            .build());
        }

        private void finish() {
            StreamObserver<WorkerMessage> stream = out;
            out = null;
            if (stream != null) {
                try {
                    stream.onCompleted();
                } catch (IllegalStateException e) {
                    LOG.debug("{}: the stream has ended already", coordinator, e);
                }
            }
        }

        void cancelTimers() {
            if (timer != null) {
                timer.cancel(false);
            }
        }
    }
}
