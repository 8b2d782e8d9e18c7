package coop.sahkar.worker.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.tls.HalfOpen;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.HiddenCodecMessage;
import coop.sahkar.proto.v1.LinkHello;
import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.OpenSession;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.worker.engine.StageMessage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Links between workers that show certificates, and strangers who would like to be one. */
class EncryptedRingTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Map<String, NodeTls> nodes = new TreeMap<>();
    private Coop coop;
    private Pool pool;
    private SealedTicket ticket;
    private int position;

    @BeforeEach
    void start() throws Exception {
        coop = new Coop();
        nodes.put("w0", coop.node(Role.WORKER, "w0"));
        nodes.put("w1", coop.node(Role.WORKER, "w1"));
        pool =
                new Pool(
                        2,
                        id -> RingOptions.defaults(id).withCodecs(List.of(HiddenCodec.F32)),
                        id -> Transport.of(node(id)));
        ticket = pool.ticket(1, 1);
        pool.admitAtHead(ticket);
        honest();
    }

    @AfterEach
    void stop() {
        pool.close();
    }

    /** One more frame of the session that runs all the time arrives, and nobody was lost by it. */
    private void honest() {
        Pool.Worker next = pool.worker(1);
        int before = next.inbox.messages.size();
        if (position == 0) {
            pool.worker(0).send(next, new StageMessage.Open(ticket, 1, Pool.GREEDY));
            before++;
        }
        pool.worker(0).send(next, Pool.frames(Pool.frame(ticket, position++, 1)));
        int wanted = before + 1;
        await().atMost(PATIENCE).until(() -> next.inbox.messages.size() == wanted);
        assertThat(pool.worker(0).inbox.lost).isEmpty();
        assertThat(next.inbox.lost).noneMatch(lost -> lost.startsWith("w0"));
    }

    private int port() {
        return pool.worker(1).port();
    }

    private RingCounters counters() {
        return pool.worker(1).ring.counters();
    }

    private static RingMessage hello(String id) {
        return RingMessage.newBuilder()
                .setHello(
                        LinkHello.newBuilder()
                                .setProtocol(ProtocolVersions.ours())
                                .setWorkerId(id)
                                .addCodecs(HiddenCodecMessage.HIDDEN_CODEC_F32))
                .build();
    }

    /** The handshake fails, or the first thing that is read after it says so (TLS 1.3). */
    private void refused(NodeTls as, String... protocols) {
        long before = counters().refusedPeers();
        assertThatThrownBy(
                        () -> {
                            try (RawLink link = RawLink.over(Coop.dial(as, port(), protocols))) {
                                link.send(hello(as.self().id()));
                                link.reply();
                            }
                        })
                .isInstanceOf(IOException.class);
        await().atMost(PATIENCE).until(() -> counters().refusedPeers() > before);
        honest();
    }

    @Test
    void anotherCooperativesWorkerIsRefused() throws Exception {
        refused(new Coop().node(Role.WORKER, "w0"));
    }

    @Test
    void anExpiredCertificateIsRefused() throws Exception {
        refused(coop.expired(Role.WORKER, "w7"));
    }

    @Test
    void aCertificateOfTheFutureIsRefused() throws Exception {
        long tomorrow = System.currentTimeMillis() + Duration.ofDays(1).toMillis();
        refused(coop.node(Role.WORKER, "w7", tomorrow + Duration.ofHours(2).toMillis()));
    }

    @Test
    void aPublisherIsNoWorker() throws Exception {
        refused(coop.node(Role.CLIENT, "w7"));
    }

    @Test
    void aRevokedWorkerIsRefused() throws Exception {
        NodeTls revoked = coop.node(Role.WORKER, "w7");
        node("w1").revocations().replace(List.of(revoked.self().enrolment()));
        refused(revoked);
    }

    private NodeTls node(String id) {
        NodeTls found = nodes.get(id);
        assertThat(found).isNotNull();
        return found;
    }

    @Test
    void anOlderProtocolIsRefused() throws Exception {
        refused(coop.node(Role.WORKER, "w7"), "TLSv1.2");
    }

    @Test
    void aLinkInTheOpenIsRefused() throws IOException {
        try (RawLink link = RawLink.dial(port())) {
            link.send(hello("w0"));
            assertThatThrownBy(link::reply).isInstanceOf(IOException.class);
        }
        assertThat(counters().received()).isEqualTo(2); // of the honest
        honest();
    }

    private String refusalOf(String as, String id, RingMessage... messages) throws Exception {
        NodeTls shown = coop.node(Role.WORKER, as);
        try (RawLink link = RawLink.over(Coop.dial(shown, port()))) {
            link.send(hello(id));
            for (RingMessage message : messages) {
                link.send(message);
            }
            LinkReply last = link.lastReply();
            assertThat(last.hasRefused()).isTrue();
            assertThat(counters().violations()).isEqualTo(1);
            honest();
            return last.getRefused().getMessage();
        }
    }

    @Test
    void nobodySpeaksForAnother() throws Exception {
        assertThat(refusalOf("w7", "w0")).contains("showed the certificate of worker w7");
    }

    @Test
    void aCoordinatorIsNoWorkerOnALink() throws Exception {
        NodeTls shown = coop.node(Role.COORDINATOR, "w7");
        try (RawLink link = RawLink.over(Coop.dial(shown, port()))) {
            link.send(hello("w7"));
            assertThat(link.lastReply().getRefused().getMessage())
                    .contains("showed the certificate of coordinator w7");
        }
        honest();
    }

    @Test
    void aReplayedTicketIsRefused() throws Exception {
        RingMessage open =
                RingMessage.newBuilder()
                        .setOpen(
                                OpenSession.newBuilder()
                                        .setTicket(Tickets.toWire(ticket))
                                        .setStage(1))
                        .build();
        assertThat(refusalOf("w7", "w7", open)).contains("only the stage before may");
    }

    @Test
    void aForeignSessionsFramesAreRefused() throws Exception {
        RingMessage frames =
                MessagePublisher.toWire(Pool.frames(Pool.frame(ticket, 1, 1)), HiddenCodec.F32);
        assertThat(refusalOf("w7", "w7", frames)).contains("by its ticket only");
    }

    @Test
    void aWorkerThatIsRevokedIsHungUpOn() {
        node("w1").revocations().replace(List.of(node("w0").self().enrolment()));
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(pool.worker(1).inbox.lost)
                                .anyMatch(lost -> lost.startsWith("w0")));
        int before = pool.worker(1).inbox.messages.size();
        pool.worker(0).send(pool.worker(1), Pool.frames(Pool.frame(ticket, position, 1)));
        await().atMost(PATIENCE).until(() -> !pool.worker(0).inbox.lost.isEmpty());
        assertThat(pool.worker(1).inbox.messages).hasSize(before);
    }

    @Test
    void aDialledWorkerMustBeTheOneThatIsMeant() throws Exception {
        nodes.put("w2", coop.node(Role.WORKER, "w7"));
        try (Pool other =
                new Pool(1, _ -> RingOptions.defaults("w2"), _ -> Transport.of(node("w2")))) {
            Pool.Worker impostor = other.worker(0);
            assertThat(impostor.stage.workerId()).isEqualTo("w2");
            pool.worker(0).send(impostor, new StageMessage.Open(ticket, 1, Pool.GREEDY));
            await().atMost(PATIENCE)
                    .untilAsserted(() ->
                            assertThat(pool.worker(0).inbox.lost)
                                    .anyMatch(lost -> lost.startsWith("w2")));
            assertThat(impostor.inbox.messages).isEmpty();
        }
    }

    @Test
    void aHugeFrameIsRefusedAtItsLength() throws Exception {
        try (RawLink link = RawLink.over(Coop.dial(coop.node(Role.WORKER, "w7"), port()))) {
            link.send(hello("w7"));
            link.sendLength(Integer.MAX_VALUE);
            assertThat(link.lastReply().getRefused().getMessage()).contains("was announced");
        }
        honest();
    }

    @Test
    void aHugeRecordOfAStrangerIsRefusedAtItsLength() throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.getOutputStream().write(new byte[] {22, 3, 3, (byte) 0xff, (byte) 0xff, 1});
            endsWithoutAWelcome(socket);
        }
        honest();
    }

    private static void endsWithoutAWelcome(Socket socket) {
        try {
            byte[] said = socket.getInputStream().readAllBytes();
            assertThat(said.length).isLessThan(64); // an alert at most
        } catch (IOException reset) {
            assertThat(reset).isNotInstanceOf(SocketTimeoutException.class);
        }
    }

    @Test
    void whoNeverFinishesAHandshakeIsHungUpOnInTime() throws IOException {
        long begun = System.nanoTime();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0});
            honest();
            endsWithoutAWelcome(socket);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begun))
                .isGreaterThan(Duration.ofSeconds(1))
                .isLessThan(PATIENCE);
        honest();
    }

    @Test
    void manyHalfOpenHandshakesHoldNobodyUp() throws Exception {
        List<Socket> strangers = new ArrayList<>();
        try {
            long before = counters().refusedPeers();
            for (int i = 0; i < 2 * HalfOpen.MOST_FROM_ONE; i++) {
                strangers.add(new Socket(InetAddress.getLoopbackAddress(), port()));
            }
            await().atMost(PATIENCE).until(() -> counters().refusedPeers() > before);
            honest();
            for (Socket stranger : strangers) {
                stranger.setSoTimeout((int) PATIENCE.toMillis());
                endsWithoutAWelcome(stranger);
            }
        } finally {
            for (Socket stranger : strangers) {
                stranger.close();
            }
        }
        honest();
        try (RawLink link = RawLink.over(Coop.dial(coop.node(Role.WORKER, "w7"), port()))) {
            link.send(hello("w7"));
            assertThat(link.reply().hasWelcome()).isTrue();
        }
    }
}
