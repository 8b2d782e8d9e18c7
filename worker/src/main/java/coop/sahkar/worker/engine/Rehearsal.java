package coop.sahkar.worker.engine;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage.Close;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Frames;
import coop.sahkar.worker.engine.StageMessage.Open;
import coop.sahkar.worker.engine.StageMessage.Token;
import coop.sahkar.worker.engine.StageMessage.Tokens;
import coop.sahkar.worker.head.GenerationEnd;
import coop.sahkar.worker.head.GenerationSink;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.TextAssembler;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes a stage that was just loaded through sessions that nobody asked for, so that the first real
 * one does not wait for weights to be read, graphs to be planned and code to be compiled: it may be
 * one that was just saved from a lost worker, and whose reader waits. Nothing is sent, and nothing
 * is left in the KV.
 */
public final class Rehearsal {
    /** No session is begun that would, at the pace of the one before, end later than this. */
    private static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(700);

    /** Rows of each session's prompt: on a slow machine the larger ones are left out. */
    private static final int[] PROMPTS = {1, 16, 128};

    private static final int DECODES = 24;
    private static final int EPOCH = 1;
    private static final Sampling SAMPLING =
            new Sampling(
                    0.8f,
                    40,
                    0.95f,
                    0,
                    1,
                    1,
                    0,
                    0,
                    0,
                    Collections.unmodifiableSortedMap(new TreeMap<>()),
                    1);

    private final StageShape shape;
    private final @Nullable Vocabulary vocabulary;
    private final StageCore core;
    private final LongSupplier nanoClock;
    private final List<RouteStage> route;
    private final int index;

    private Rehearsal(LoadedStage loaded, Rows rows, LongSupplier nanoClock) {
        this.shape = loaded.stage().shape();
        this.vocabulary = loaded.vocabulary();
        this.nanoClock = nanoClock;
        this.route = route(shape);
        this.index = shape.head() ? 0 : 1;
        this.core =
                new StageCore(
                        loaded,
                        rows,
                        (_, _) -> {},
                        EngineLimits.DEFAULT,
                        LogRoom.inMemory(LogRoom.MEMORY_BYTES),
                        BatchPolicy.DEFAULT,
                        new StageMeter(),
                        nanoClock,
                        (_, _, _, _) -> {});
    }

    /**
     * Rehearses, for less than a second unless the very first row takes longer.
     *
     * @param loaded a stage without sessions, on the thread that owns it
     */
    public static void of(LoadedStage loaded) {
        of(loaded, System::nanoTime);
    }

    static void of(LoadedStage loaded, LongSupplier nanoClock) {
        StageShape shape = loaded.stage().shape();
        try (Arena arena = Arena.ofConfined()) {
            Rows rows = new Rows(arena, shape.maxRows(), shape.width());
            new Rehearsal(loaded, rows, nanoClock).run();
        }
    }

    private void run() {
        long began = nanoClock.getAsLong();
        long last = began;
        for (int i = 0; i < PROMPTS.length; i++) {
            long now = nanoClock.getAsLong();
            long estimate = i == 0 ? 0 : (now - last) * PROMPTS[i] / (PROMPTS[i - 1] + DECODES);
            boolean fits = PROMPTS[i] + DECODES < shape.kvCells();
            if (!fits || now - began + estimate > MOST_NANOS) {
                return;
            }
            last = now;
            session(i + 1, PROMPTS[i], began + MOST_NANOS);
        }
    }

    private void session(int number, int promptRows, long endNanos) {
        Ticket ticket =
                new Ticket(
                        new SessionId(0, number),
                        EPOCH,
                        "rehearsal",
                        shape.blockCount(),
                        route,
                        "",
                        promptRows + DECODES + 1,
                        Long.MAX_VALUE,
                        0);
        SealedTicket sealed = new SealedTicket(ticket, new byte[0], new byte[0], "");
        if (shape.head()) {
            asHead(sealed, promptRows, endNanos);
        } else {
            behind(sealed, promptRows, endNanos);
        }
    }

    private void asHead(SealedTicket sealed, int promptRows, long endNanos) {
        Vocabulary words = vocabulary;
        if (words == null) {
            throw new IllegalStateException("a head without a vocabulary");
        }
        int word = 0;
        while (word < words.size() - 1 && words.endsGeneration(word)) {
            word++;
        }
        int[] prompt = new int[promptRows];
        Arrays.fill(prompt, word);
        SessionId id = sealed.ticket().session();
        core.start(
                new GenerationStart(
                        sealed,
                        SAMPLING,
                        prompt,
                        new int[0],
                        DECODES,
                        new TextAssembler(words, List.of(), 0),
                        new Silent(),
                        EPOCH,
                        0));
        compute();
        for (int i = 0; i < DECODES && nanoClock.getAsLong() < endNanos; i++) {
            Token token = new Token(id, EPOCH, promptRows + i, word);
            core.accept(new Tokens(List.of(token)), nanoClock.getAsLong());
            compute();
        }
        core.cancel(id, EPOCH);
    }

    private void behind(SealedTicket sealed, int promptRows, long endNanos) {
        SessionId id = sealed.ticket().session();
        core.accept(new Open(sealed, index, SAMPLING), nanoClock.getAsLong());
        frame(id, 0, promptRows);
        for (int i = 0; i < DECODES && nanoClock.getAsLong() < endNanos; i++) {
            frame(id, promptRows + i, 1);
        }
        core.accept(new Close(id, EPOCH), nanoClock.getAsLong());
    }

    private void frame(SessionId id, int first, int rows) {
        int bytes = rows * shape.width() * Float.BYTES;
        ByteBuffer hidden = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (hidden.hasRemaining()) {
            hidden.putFloat(1);
        }
        Frame frame =
                new Frame(
                        id,
                        EPOCH,
                        first,
                        new int[rows],
                        true,
                        HiddenCodec.F32,
                        hidden.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN));
        core.accept(new Frames(List.of(frame)), nanoClock.getAsLong());
        compute();
    }

    private void compute() {
        while (core.ready()) {
            core.work().compute();
        }
    }

    /** A route whose other workers nobody is. */
    private static List<RouteStage> route(StageShape shape) {
        List<RouteStage> stages = new ArrayList<>();
        Span own = shape.span();
        if (own.first() > 0) {
            stages.add(new RouteStage("before", "", new Span(0, own.first())));
        }
        stages.add(new RouteStage("here", "", own));
        if (own.end() < shape.blockCount()) {
            stages.add(new RouteStage("behind", "", new Span(own.end(), shape.blockCount())));
        }
        return stages;
    }

    /** Nobody listens. */
    private static final class Silent implements GenerationSink {
        @Override
        public void prefilled(int positions) {}

        @Override
        public void delta(int position, int[] tokens, String text) {}

        @Override
        public void finished(GenerationEnd end) {}

        @Override
        public void rerouted(SealedTicket route, long repairMicros) {}

        @Override
        public void failed(Problem problem, String workerId) {}

        @Override
        public void leaving() {}
    }
}
