package coop.sahkar.deploy.bench;

import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.FinishReason;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.HeadGrpc;
import coop.sahkar.proto.v1.HeadProbe;
import coop.sahkar.proto.v1.HeadProbeAnswer;
import coop.sahkar.proto.v1.RunRequest;
import coop.sahkar.proto.v1.Started;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A head without a model: its tokens say which one of the answer they are and when they were sent,
 * so that a reader can tell whether it has all and how long each took. Whoever is asked for {@link
 * #FLOOD} sends as fast as it is taken; others keep a pace.
 */
final class PacedHead extends HeadGrpc.HeadImplBase implements AutoCloseable {
    /** The prompt of an answer without a pace and, nearly, without an end. */
    static final String FLOOD = "flood";

    /** The prompt of an answer that keeps the pace. */
    static final String PACED = "paced";

    /** What stands behind the number and the time in each token of a flood. */
    private static final String FILLING = "x".repeat(200);

    /** More than any buffer takes. */
    private static final int MOST_FLOOD_TOKENS = 1 << 17;

    private static final int PROMPT_TOKENS = 8;
    private static final int PACERS = 2;

    /** One call for a flood. */
    static final class Flood {
        private final AtomicInteger sent = new AtomicInteger();

        /** Bytes of text that it has got rid of. */
        long sentBytes() {
            return (long) sent.get() * FILLING.length();
        }
    }

    private final Server server;
    private final ScheduledExecutorService pacers =
            Executors.newScheduledThreadPool(
                    PACERS, Thread.ofPlatform().daemon().name("paced-head-", 0).factory());
    private final Queue<Flood> floods = new ConcurrentLinkedQueue<>();
    private final AtomicInteger open = new AtomicInteger();
    private final long pauseNanos;

    /**
     * @param perSecond tokens of each paced answer in a second
     */
    PacedHead(int perSecond) throws IOException {
        this.pauseNanos = TimeUnit.SECONDS.toNanos(1) / perSecond;
        this.server =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .permitKeepAliveTime(1, TimeUnit.SECONDS)
                        .addService(this)
                        .build()
                        .start();
    }

    String endpoint() {
        return "127.0.0.1:" + server.getPort();
    }

    /** Calls under way. */
    int open() {
        return open.get();
    }

    /** Those that were asked for. */
    Queue<Flood> floods() {
        return floods;
    }

    @Override
    public void probe(HeadProbe probe, StreamObserver<HeadProbeAnswer> answer) {
        answer.onNext(HeadProbeAnswer.getDefaultInstance());
        answer.onCompleted();
    }

    @Override
    public void run(RunRequest request, StreamObserver<GenerationEvent> observer) {
        var out = (ServerCallStreamObserver<GenerationEvent>) observer;
        open.incrementAndGet();
        String asked = request.getRequest().getChat().getMessages(0).getContent();
        int committed = request.getCommittedCount();
        if (asked.equals(FLOOD)) {
            flood(out, committed);
        } else {
            new Paced(out, committed, request.getRequest().getMaxTokens()).begin();
        }
    }

    private void flood(ServerCallStreamObserver<GenerationEvent> out, int committed) {
        Flood flood = new Flood();
        flood.sent.set(committed);
        floods.add(flood);
        out.setOnCancelHandler(open::decrementAndGet);
        out.setOnReadyHandler(() -> {
            while (out.isReady() && flood.sent.get() < MOST_FLOOD_TOKENS) {
                out.onNext(token(flood.sent.getAndIncrement(), FILLING));
            }
        });
        out.onNext(started(out));
    }

    /** One paced answer: after its first token, one by one on a pacer's thread. */
    private final class Paced {
        private final ServerCallStreamObserver<GenerationEvent> out;
        private final int most;
        private final Future<?> over = new FutureTask<>(() -> {}, null);
        private Future<?> pacing = over;
        private int sent;

        Paced(ServerCallStreamObserver<GenerationEvent> out, int committed, int most) {
            this.out = out;
            this.sent = committed;
            this.most = most;
        }

        synchronized void begin() {
            out.setOnCancelHandler(this::end);
            out.onNext(started(out));
            if (sent == 0) {
                out.onNext(token(sent++, ""));
            }
            // The first tokens of many answers come together; their next ones are spread.
            long first = Math.floorMod(System.nanoTime() * 31, pauseNanos);
            pacing =
                    pacers.scheduleAtFixedRate(this::next, first, pauseNanos, TimeUnit.NANOSECONDS);
        }

        private synchronized void next() {
            if (!out.isReady() || pacing.isCancelled()) {
                return;
            }
            if (sent < most) {
                out.onNext(token(sent++, ""));
                return;
            }
            out.onNext(finished(sent));
            out.onCompleted();
            end();
        }

        private synchronized void end() {
            if (pacing.cancel(false)) {
                open.decrementAndGet();
            }
        }
    }

    private static GenerationEvent started(ServerCallStreamObserver<GenerationEvent> out) {
        out.setMessageCompression(false);
        return GenerationEvent.newBuilder()
                .setStarted(Started.newBuilder().setPromptTokens(PROMPT_TOKENS))
                .build();
    }

    private static GenerationEvent token(int index, String filling) {
        return GenerationEvent.newBuilder()
                .setDelta(
                        Delta.newBuilder()
                                .setPosition(PROMPT_TOKENS + index)
                                .addTokens(index)
                                .setText(index + ":" + System.nanoTime() + " " + filling))
                .build();
    }

    private static GenerationEvent finished(int tokens) {
        return GenerationEvent.newBuilder()
                .setFinished(
                        Finished.newBuilder()
                                .setReason(FinishReason.FINISH_REASON_LENGTH)
                                .setPromptTokens(PROMPT_TOKENS)
                                .setCompletionTokens(tokens))
                .build();
    }

    @Override
    public void close() {
        pacers.shutdownNow();
        server.shutdownNow();
    }
}
