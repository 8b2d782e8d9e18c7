package coop.sahkar.worker.ring;

import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.worker.engine.BatchPolicy;
import coop.sahkar.worker.engine.EngineLimits;
import coop.sahkar.worker.engine.Links;
import coop.sahkar.worker.engine.LoadedStage;
import coop.sahkar.worker.engine.LogRoom;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.StageShape;
import coop.sahkar.worker.engine.SteppedEngine;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.head.GenerationEnd;
import coop.sahkar.worker.head.GenerationSink;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.TextAssembler;
import coop.sahkar.worker.simulate.ArithmeticStage;
import coop.sahkar.worker.simulate.LetterVocabulary;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Answers that nobody asked for, from a model that takes no computing, in a ring of two workers
 * within this process: from the ticket to the last token all code is used that a real answer needs
 * between two batches, but for sockets and llama.cpp. In a young JVM that code is a dozen times as
 * slow as later, and the first answers would wait for it, token by token.
 */
public final class RingRehearsal {
    /** After so many tokens nearly all of that code has been compiled well. */
    private static final int TOKENS = 1_500;

    private static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);

    private static final String MODEL = "rehearsal";
    private static final int BLOCKS = 2;
    private static final int PROMPT_ROWS = 40;
    private static final int ANSWER_TOKENS = 200;

    /** Of an answer that is made a token at a time: to begin one takes a thousand times as long. */
    private static final int LONG_ANSWER_TOKENS = 4_000;

    private static final int MOST_ROWS = 128;
    private static final int MOST_SEQUENCES = 4;
    private static final int EPOCH = 1;
    private static final int MESSAGE_BYTES = 32 * 1024;

    private final KeyPair key;
    private final LongSupplier nanoClock;
    private final int answerTokens;
    private final Vocabulary words;
    private final Place head;
    private final Place tail;
    private int answers;
    private int tokens;
    private boolean over = true;
    private String failure = "";

    private RingRehearsal(int answerTokens, Vocabulary words, LongSupplier nanoClock)
            throws GeneralSecurityException {
        this.key = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        this.nanoClock = nanoClock;
        this.answerTokens = answerTokens;
        this.words = words;
        head = new Place("rehearsal-1", new Span(0, 1));
        tail = new Place("rehearsal-2", new Span(1, BLOCKS));
    }

    /**
     * Rehearses for a second and a half at most.
     *
     * @return how many tokens were made
     * @throws GeneralSecurityException if this JVM cannot sign tickets
     */
    public static int run(LongSupplier nanoClock) throws GeneralSecurityException {
        return new RingRehearsal(ANSWER_TOKENS, new LetterVocabulary(), nanoClock).run();
    }

    /**
     * A rehearsal that waits to be asked for each {@linkplain #token token}.
     *
     * @throws GeneralSecurityException if this JVM cannot sign tickets
     */
    static RingRehearsal standing(LongSupplier nanoClock) throws GeneralSecurityException {
        return new RingRehearsal(LONG_ANSWER_TOKENS, new EndlessLetters(), nanoClock);
    }

    /**
     * Makes one token more. For one thread at a time.
     *
     * @return how many tokens were made so far
     */
    int token() throws GeneralSecurityException {
        int before = tokens;
        while (tokens == before) {
            if (over && !head.busy() && !tail.busy()) {
                begin();
            }
            turn();
        }
        return tokens;
    }

    private void turn() {
        head.turn();
        tail.turn();
        if (!failure.isEmpty()) {
            throw new IllegalStateException("an answer that nobody asked for failed: " + failure);
        }
    }

    private int run() throws GeneralSecurityException {
        long began = nanoClock.getAsLong();
        while (tokens < TOKENS) {
            begin();
            while (!over || head.busy() || tail.busy()) {
                turn();
                if (nanoClock.getAsLong() - began > MOST_NANOS) {
                    return tokens;
                }
            }
        }
        return tokens;
    }

    private void begin() throws GeneralSecurityException {
        over = false;
        int number = ++answers;
        Ticket ticket =
                new Ticket(
                        new SessionId(0, number),
                        EPOCH,
                        MODEL,
                        BLOCKS,
                        List.of(head.stage(), tail.stage()),
                        "",
                        PROMPT_ROWS + answerTokens,
                        Long.MAX_VALUE,
                        0);
        SealedTicket sealed = Tickets.seal(ticket, MODEL, key.getPrivate());
        if (!(head.directory.admitHead(Tickets.toWire(sealed))
                instanceof SessionDirectory.Admitted admitted)) {
            throw new IllegalStateException("a ticket of our own is refused");
        }
        int[] prompt = new int[PROMPT_ROWS];
        Arrays.fill(prompt, 1);
        head.engine.start(
                new GenerationStart(
                        admitted.ticket(),
                        new Sampling(0, 0, 1, 0, 1, 1, 0, 0, 0, new TreeMap<>(), number),
                        prompt,
                        new int[0],
                        answerTokens,
                        new TextAssembler(words, List.of(), 0),
                        new Reader(),
                        EPOCH,
                        0));
    }

    /** One of the two workers. */
    private final class Place implements Links {
        private final String workerId;
        private final Span span;
        private final SessionDirectory directory;
        private final MessageAdapter adapter;
        private final SteppedEngine engine;
        private final FrameBytes in = new FrameBytes();
        private final ByteBuffer out = ByteBuffer.allocate(MESSAGE_BYTES);

        Place(String workerId, Span span) {
            this.workerId = workerId;
            this.span = span;
            directory =
                    new SessionDirectory(
                            RingOptions.defaults(workerId),
                            _ -> key.getPublic(),
                            PoolClock.of(() -> 0));
            adapter = new MessageAdapter(workerId, directory, this, new RingCounters());
            StageShape shape =
                    ArithmeticStage.shape(
                            span, BLOCKS, PROMPT_ROWS + answerTokens, MOST_SEQUENCES, MOST_ROWS);
            engine =
                    new SteppedEngine(
                            new LoadedStage(new ArithmeticStage(shape), words),
                            this,
                            EngineLimits.DEFAULT,
                            LogRoom.inMemory(LogRoom.MEMORY_BYTES),
                            BatchPolicy.DEFAULT,
                            (_, _, _, _) -> {},
                            nanoClock);
            directory.register(MODEL, shape, engine);
        }

        RouteStage stage() {
            return new RouteStage(workerId, "", span);
        }

        boolean busy() {
            return !engine.idle();
        }

        void turn() {
            if (engine.take()) {
                engine.compute(0);
            }
        }

        @Override
        public void send(RouteStage to, StageMessage message) {
            Place receiver = to.workerId().equals(head.workerId) ? head : tail;
            RingMessage wire = MessagePublisher.toWire(message, HiddenCodec.F32);
            FrameBytes.write(wire, wire.getSerializedSize(), out.clear());
            out.flip();
            int count = out.remaining();
            receiver.in.room(count).put(out);
            receiver.in.came(count);
            receiver.receive(workerId);
        }

        private void receive(String sender) {
            try {
                byte[] message = in.next();
                if (message != null) {
                    adapter.read(RingMessage.parseFrom(message), sender, HiddenCodec.F32)
                            .forEach(Delivery::offer);
                }
            } catch (LinkViolation | InvalidProtocolBufferException e) {
                throw new IllegalStateException("a message of our own is refused", e);
            }
        }
    }

    /** Letters none of which ends an answer. */
    private static final class EndlessLetters implements Vocabulary {
        private final Vocabulary letters = new LetterVocabulary();

        @Override
        public int size() {
            return letters.size();
        }

        @Override
        public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
            return letters.tokenize(text, addSpecial, parseSpecial);
        }

        @Override
        public byte[] piece(int token) {
            return letters.piece(token);
        }

        @Override
        public boolean endsGeneration(int token) {
            return false;
        }
    }

    /** Counts the tokens. */
    private final class Reader implements GenerationSink {
        @Override
        public void prefilled(int positions) {}

        @Override
        public void delta(int position, int[] more, String text) {
            tokens += more.length;
        }

        @Override
        public void finished(GenerationEnd end) {
            over = true;
        }

        @Override
        public void rerouted(SealedTicket route, long repairMicros) {}

        @Override
        public void leaving() {}

        @Override
        public void failed(Problem problem, String workerId) {
            failure = problem.message();
            over = true;
        }
    }
}
