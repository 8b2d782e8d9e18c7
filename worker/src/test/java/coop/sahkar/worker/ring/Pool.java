package coop.sahkar.worker.ring;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.StageShape;
import io.grpc.BindableService;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/** Workers on loopback that share one ticket key and hold two blocks each of one model. */
final class Pool implements AutoCloseable {
    static final String MODEL = "m@" + "0".repeat(64);
    static final int WIDTH = 16;
    static final int COMPUTED_MICROS = 1_234;
    static final int VOCABULARY = 100;
    static final Sampling GREEDY = new Sampling(0, 0, 1, 0, 1, 1, 0, 0, -1, new TreeMap<>(), 7);

    final KeyPair keys;
    private final Function<String, Transport> transports;
    final AtomicLong nowMillis = new AtomicLong(1_000_000);
    final List<Worker> workers = new ArrayList<>();
    RelayPath relay =
            (to, _) -> {
                throw new IOException("there is no relay");
            };

    /** One worker with its ring and a mailbox in the engine's place. */
    static final class Worker implements AutoCloseable {
        final Ring ring;
        final RecordingInbox inbox = new RecordingInbox();
        final RouteStage stage;

        Worker(Ring ring, RouteStage stage) {
            this.ring = ring;
            this.stage = stage;
        }

        int port() {
            return Integer.parseInt(stage.endpoint().replace("127.0.0.1:", ""));
        }

        void send(Worker to, StageMessage message) {
            ring.links().send(to.stage, message);
        }

        @Override
        public void close() {
            ring.close();
        }
    }

    Pool(int count) throws IOException, NoSuchAlgorithmException {
        this(count, List.of(HiddenCodec.F32, HiddenCodec.F16));
    }

    Pool(int count, List<HiddenCodec> codecs) throws IOException, NoSuchAlgorithmException {
        this(count, id -> RingOptions.defaults(id).withCodecs(codecs));
    }

    Pool(int count, Function<String, RingOptions> options)
            throws IOException, NoSuchAlgorithmException {
        this(count, options, _ -> Transport.OPEN);
    }

    Pool(int count, Function<String, RingOptions> options, Function<String, Transport> transports)
            throws IOException, NoSuchAlgorithmException {
        this.transports = transports;
        keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        for (int i = 0; i < count; i++) {
            workers.add(start(options.apply("w" + i), i, count, 0, List.of()));
        }
    }

    Worker start(RingOptions options, int index, int count, int port, List<BindableService> more)
            throws IOException {
        Ring ring =
                new Ring(
                        options,
                        id -> id.equals("k") ? keys.getPublic() : null,
                        relay,
                        transports.apply(options.workerId()),
                        PoolClock.of(this::now));
        InetSocketAddress bind = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        int bound = ring.listen(bind, more).port();
        Span span = new Span(2 * index, 2 * index + 2);
        RouteStage stage = new RouteStage(options.workerId(), "127.0.0.1:" + bound, span);
        Worker worker = new Worker(ring, stage);
        StageShape shape = new StageShape(span, 2 * count, WIDTH, VOCABULARY, 1024, 8, 64);
        ring.directory().register(MODEL, shape, worker.inbox);
        return worker;
    }

    long now() {
        return nowMillis.get();
    }

    Worker worker(int index) {
        return workers.get(index);
    }

    /** A ticket for all workers in order. */
    SealedTicket ticket(long session, int epoch) {
        List<RouteStage> stages = workers.stream().map(worker -> worker.stage).toList();
        Ticket ticket =
                new Ticket(
                        new SessionId(1, session),
                        epoch,
                        MODEL,
                        2 * stages.size(),
                        stages,
                        "",
                        256,
                        now() + 10_000,
                        1);
        return Tickets.seal(ticket, "k", keys.getPrivate());
    }

    /** Enters the session at the head as the head service does. */
    void admitAtHead(SealedTicket ticket) {
        worker(0).ring.directory().admitHead(Tickets.toWire(ticket));
    }

    /** A frame whose values are 0.5, 1.5, 2.5 and so on; exact in F16. */
    static StageMessage.Frame frame(SealedTicket ticket, int first, int count) {
        ByteBuffer hidden = ByteBuffer.allocate(count * WIDTH * 4).order(ByteOrder.LITTLE_ENDIAN);
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = (first + i) % VOCABULARY;
            for (int j = 0; j < WIDTH; j++) {
                hidden.putFloat((i * WIDTH + j) * 4, first + i + j + 0.5f);
            }
        }
        return new StageMessage.Frame(
                ticket.ticket().session(),
                ticket.ticket().epoch(),
                first,
                tokens,
                true,
                HiddenCodec.F32,
                hidden.asReadOnlyBuffer(),
                COMPUTED_MICROS);
    }

    static StageMessage.Frames frames(StageMessage.Frame... frames) {
        return new StageMessage.Frames(List.of(frames));
    }

    @Override
    public void close() {
        workers.forEach(Worker::close);
    }
}
