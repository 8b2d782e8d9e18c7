package coop.sahkar.worker.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.HiddenCodecMessage;
import coop.sahkar.proto.v1.LinkHello;
import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.LinkWelcome;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.worker.engine.StageMessage;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Links live as long as both ends do, used or not, whoever reads them; and no longer. */
final class LinkLifeTest {
    private static final int DIAL_MILLIS = 500;
    private static final int KEEP_ALIVE_MILLIS = 500;
    private static final int KEEP_ALIVE_TIMEOUT_MILLIS = 1_500;

    private static RingOptions impatient(String id) {
        return options(id, DIAL_MILLIS, KEEP_ALIVE_MILLIS, KEEP_ALIVE_TIMEOUT_MILLIS);
    }

    private static RingOptions options(String id, int dial, int keepAlive, int timeout) {
        List<HiddenCodec> codecs = List.of(HiddenCodec.F32);
        return new RingOptions(
                id, codecs, codecs, dial, keepAlive, timeout, 4_096, 1 << 27, 8, 8, 60_000);
    }

    private static void open(Pool pool, SealedTicket ticket) {
        pool.worker(0).send(pool.worker(1), new StageMessage.Open(ticket, 1, Pool.GREEDY));
    }

    private static void sendOne(Pool pool, SealedTicket ticket, int position) {
        pool.worker(0).send(pool.worker(1), Pool.frames(Pool.frame(ticket, position, 1)));
    }

    private static List<Integer> positions(RecordingInbox inbox) {
        return inbox.of(StageMessage.Frames.class).stream()
                .map(frames -> frames.frames().getFirst().firstPosition())
                .toList();
    }

    @Test
    void anIdleLinkOutlivesDiallingsAndSilencesTimeOuts() throws Exception {
        try (Pool pool = new Pool(2, LinkLifeTest::impatient)) {
            SealedTicket ticket = pool.ticket(1, 1);
            open(pool, ticket);
            await().until(() -> pool.worker(1).inbox.messages.size() == 1);
            long begun = System.nanoTime();
            long idle =
                    TimeUnit.MILLISECONDS.toNanos(
                            2L * (DIAL_MILLIS + KEEP_ALIVE_MILLIS + KEEP_ALIVE_TIMEOUT_MILLIS));
            await().atMost(Duration.ofMinutes(1)).until(() -> System.nanoTime() - begun > idle);
            sendOne(pool, ticket, 0);
            await().until(() -> pool.worker(1).inbox.messages.size() == 2);
            assertThat(pool.worker(0).inbox.lost).isEmpty();
            assertThat(pool.worker(1).inbox.lost).isEmpty();
        }
    }

    @Test
    void whoDialsAndSaysNothingOrHalfAPrefaceIsHungUpOn() throws Exception {
        try (Pool pool = new Pool(1, LinkLifeTest::impatient)) {
            for (int said : new int[] {0, 3, SocketLink.PREFACE.length}) {
                try (Socket socket =
                        new Socket(InetAddress.getLoopbackAddress(), pool.worker(0).port())) {
                    socket.setSoTimeout(20_000);
                    socket.getOutputStream().write(SocketLink.PREFACE, 0, said);
                    assertThat(onlySignsOfLife(socket.getInputStream().readAllBytes())).isTrue();
                }
            }
        }
    }

    private static boolean onlySignsOfLife(byte[] heard) {
        return Arrays.equals(heard, new byte[heard.length]);
    }

    @Test
    void aDiallerThatFallsSilentIsLost() throws Exception {
        try (Pool pool = new Pool(1, LinkLifeTest::impatient);
                RawLink link = RawLink.dial(pool.worker(0).port())) {
            link.send(
                    RingMessage.newBuilder()
                            .setHello(
                                    LinkHello.newBuilder()
                                            .setProtocol(ProtocolVersions.ours())
                                            .setWorkerId("quiet")
                                            .addCodecs(HiddenCodecMessage.HIDDEN_CODEC_F32))
                            .build());
            assertThat(link.reply().hasWelcome()).isTrue();
            RecordingInbox inbox = pool.worker(0).inbox;
            await().until(() -> !inbox.lost.isEmpty());
            assertThat(inbox.lost).containsExactly("quiet: it has been silent for 2000 ms");
        }
    }

    @Test
    void aPeerThatWelcomesAndFallsSilentIsLost() throws Exception {
        try (Pool pool = new Pool(1, LinkLifeTest::impatient);
                ServerSocket quiet = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String endpoint = "127.0.0.1:" + quiet.getLocalPort();
            RouteStage stage = new RouteStage("quiet", endpoint, new Span(2, 4));
            pool.worker(0).ring.links().send(stage, new StageMessage.Close(new SessionId(1, 1), 1));
            try (Socket accepted = quiet.accept()) {
                accepted.setSoTimeout(20_000);
                welcome(accepted);
                RecordingInbox inbox = pool.worker(0).inbox;
                await().until(() -> !inbox.lost.isEmpty());
                assertThat(inbox.lost).containsExactly("quiet: it has been silent for 2000 ms");
            }
        }
    }

    private static void welcome(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        assertThat(in.readNBytes(SocketLink.PREFACE.length)).isEqualTo(SocketLink.PREFACE);
        RingMessage hello = RingMessage.parseFrom(in.readNBytes(in.readInt()));
        assertThat(hello.getHello().getWorkerId()).isEqualTo("w0");
        byte[] welcome =
                LinkReply.newBuilder()
                        .setWelcome(
                                LinkWelcome.newBuilder()
                                        .setProtocol(ProtocolVersions.ours())
                                        .setWorkerId("quiet")
                                        .setCodec(HiddenCodecMessage.HIDDEN_CODEC_F32))
                        .build()
                        .toByteArray();
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        out.writeInt(welcome.length);
        out.write(welcome);
    }

    @Test
    void anAttentiveStageReadsItselfUntilItRests() throws Exception {
        try (Pool pool = new Pool(2)) {
            SealedTicket ticket = pool.ticket(1, 1);
            Pool.Worker reader = pool.worker(1);
            reader.inbox.attentive = true;
            open(pool, ticket);
            sendOne(pool, ticket, 0);
            await().until(() -> reader.inbox.messages.size() == 2);
            sendOne(pool, ticket, 1);
            await().pollInSameThread().until(() -> reader.ring.links().poll(reader.inbox));
            assertThat(reader.inbox.deliverers.getLast()).isEqualTo(Thread.currentThread());
            reader.inbox.attentive = false;
            reader.ring.links().rest(reader.inbox);
            sendOne(pool, ticket, 2);
            await().until(() -> positions(reader.inbox).equals(List.of(0, 1, 2)));
            assertThat(reader.inbox.deliverers.getLast().getName()).startsWith("ring-network");
        }
    }

    @Test
    void nothingIsLeftLyingHoweverOftenAStageRests() throws Exception {
        int all = 4_000;
        int window = 200; // fewer than the ticket allows
        try (Pool pool = new Pool(2, id -> options(id, 5_000, 600_000, 600_000))) {
            SealedTicket ticket = pool.ticket(1, 1);
            Pool.Worker reader = pool.worker(1);
            open(pool, ticket);
            List<Integer> sentPositions = new ArrayList<>();
            for (int i = 0; i < all; i++) {
                sentPositions.add(i % window);
                sendOne(pool, ticket, i % window);
                reader.inbox.attentive = true;
                int sent = i + 2;
                for (int turn = 0; turn < 50 && reader.inbox.messages.size() < sent; turn++) {
                    reader.ring.links().poll(reader.inbox);
                }
                reader.inbox.attentive = false;
                reader.ring.links().rest(reader.inbox);
            }
            await().until(() -> reader.inbox.messages.size() == all + 1);
            assertThat(positions(reader.inbox)).isEqualTo(sentPositions);
        }
    }
}
