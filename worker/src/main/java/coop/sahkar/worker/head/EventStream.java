package coop.sahkar.worker.head;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.TokenChances;
import coop.sahkar.worker.engine.TokenChance;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The events of one generation on their way to its reader. The engine's thread never waits: while
 * the reader is slow, what comes is joined into one prefill report and one delta, which the
 * session's positions bound.
 */
final class EventStream implements GenerationSink {
    private final ServerCallStreamObserver<GenerationEvent> call;
    private final IntFunction<byte[]> pieces;
    private final AtomicInteger epoch;
    private final Runnable whenOver;

    // All below: guarded by this.
    private int prefilled = -1;
    private @Nullable GenerationEvent rerouted;
    private Delta.@Nullable Builder delta;
    private final StringBuilder text = new StringBuilder();
    private @Nullable GenerationEvent leaving;
    private @Nullable GenerationEvent last;
    private TokenChances.@Nullable Builder chances;
    private List<Float> embedding = List.of();
    private boolean over;

    /**
     * @param pieces the bytes of a token
     * @param epoch holds the number of the session's newest route
     * @param whenOver run once, when the engine has said its last word
     */
    EventStream(
            ServerCallStreamObserver<GenerationEvent> call,
            IntFunction<byte[]> pieces,
            AtomicInteger epoch,
            Runnable whenOver) {
        this.call = call;
        this.pieces = pieces;
        this.epoch = epoch;
        this.whenOver = whenOver;
    }

    /** Sends what waits, as far as the network takes it. */
    synchronized void drain() {
        while (!over && !call.isCancelled() && call.isReady()) {
            GenerationEvent next = next();
            if (next == null) {
                return;
            }
            call.onNext(next);
            if (next.equals(last)) {
                over = true;
                call.onCompleted();
            }
        }
    }

    private @Nullable GenerationEvent next() {
        if (rerouted != null) {
            GenerationEvent event = rerouted;
            rerouted = null;
            return event;
        }
        if (prefilled >= 0) {
            GenerationEvent event = GenerationEvents.prefilled(prefilled);
            prefilled = -1;
            return event;
        }
        if (delta != null) {
            Delta.Builder event = delta.setText(text.toString());
            delta = null;
            text.setLength(0);
            return GenerationEvent.newBuilder().setDelta(event).build();
        }
        if (leaving != null) {
            GenerationEvent event = leaving;
            leaving = null;
            return event;
        }
        return last;
    }

    @Override
    public synchronized void leaving() {
        leaving = GenerationEvents.leaving();
        drain();
    }

    @Override
    public synchronized void prefilled(int positions) {
        prefilled = positions;
        drain();
    }

    @Override
    public synchronized void delta(int position, int[] tokens, String shown) {
        Delta.Builder joined = delta;
        if (joined == null) {
            joined = Delta.newBuilder().setPosition(position);
            delta = joined;
        }
        for (int token : tokens) {
            joined.addTokens(token);
        }
        joined.addAllEmbedding(embedding);
        embedding = List.of();
        if (chances != null) {
            joined.addChances(chances);
            chances = null;
        }
        text.append(shown);
        drain();
    }

    @Override
    public synchronized void embedding(List<Float> state) {
        embedding = state;
    }

    @Override
    public synchronized void chances(List<TokenChance> of) {
        TokenChances.Builder told = TokenChances.newBuilder();
        for (TokenChance one : of) {
            told.addChances(
                    coop.sahkar.proto.v1.TokenChance.newBuilder()
                            .setToken(one.token())
                            .setLogProbability(one.logProbability())
                            .setPiece(ByteString.copyFrom(pieces.apply(one.token()))));
        }
        chances = of.isEmpty() ? null : told;
    }

    @Override
    public void finished(GenerationEnd end) {
        last(GenerationEvents.finished(end));
    }

    @Override
    public void rerouted(SealedTicket route, long repairMicros) {
        epoch.set(route.ticket().epoch());
        synchronized (this) {
            rerouted = GenerationEvents.rerouted(route, repairMicros);
            drain();
        }
    }

    @Override
    public void failed(Problem problem, String workerId) {
        last(GenerationEvents.failed(problem, workerId, false));
    }

    @Override
    public void noSpare(Problem problem, String workerId) {
        last(GenerationEvents.failed(problem, workerId, true));
    }

    private void last(GenerationEvent event) {
        whenOver.run();
        synchronized (this) {
            if (last == null) {
                last = event;
                drain();
            }
        }
    }
}
