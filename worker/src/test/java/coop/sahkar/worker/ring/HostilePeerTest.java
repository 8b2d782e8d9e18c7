package coop.sahkar.worker.ring;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.Frame;
import coop.sahkar.proto.v1.Frames;
import coop.sahkar.proto.v1.HiddenCodecMessage;
import coop.sahkar.proto.v1.KvPart;
import coop.sahkar.proto.v1.KvWanted;
import coop.sahkar.proto.v1.LinkHello;
import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.OpenSession;
import coop.sahkar.proto.v1.ProtocolVersion;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.proto.v1.SamplingMessage;
import coop.sahkar.proto.v1.SessionFailed;
import coop.sahkar.proto.v1.Token;
import coop.sahkar.proto.v1.Tokens;
import coop.sahkar.worker.engine.StageMessage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A peer that breaks the rules is turned away with a sentence, and nobody else notices. */
final class HostilePeerTest {
    private Pool pool;
    private SealedTicket ticket;
    private RawLink link;

    @BeforeEach
    void start() throws Exception {
        pool = new Pool(3);
        ticket = pool.ticket(1, 1);
        pool.admitAtHead(ticket);
        // An honest session between w0 and w1 that must not notice anything.
        honest(0);
        link = RawLink.dial(pool.worker(1).port());
    }

    @AfterEach
    void stop() throws IOException {
        link.close();
        pool.close();
    }

    private void honest(int position) {
        Pool.Worker middle = pool.worker(1);
        int before = middle.inbox.messages.size();
        if (position == 0) {
            pool.worker(0).send(middle, new StageMessage.Open(ticket, 1, Pool.GREEDY));
        }
        pool.worker(0).send(middle, Pool.frames(Pool.frame(ticket, position, 1)));
        await().until(() -> middle.inbox.messages.size() == before + (position == 0 ? 2 : 1));
    }

    private static RingMessage hello(String id) {
        return hello(id, hello -> {});
    }

    private static RingMessage hello(String id, Consumer<LinkHello.Builder> change) {
        LinkHello.Builder hello =
                LinkHello.newBuilder()
                        .setProtocol(ProtocolVersions.ours())
                        .setWorkerId(id)
                        .addCodecs(HiddenCodecMessage.HIDDEN_CODEC_F32);
        change.accept(hello);
        return RingMessage.newBuilder().setHello(hello).build();
    }

    private String refusalOf(RingMessage... messages) throws IOException {
        for (RingMessage message : messages) {
            link.send(message);
        }
        LinkReply last = link.lastReply();
        assertThat(last.hasRefused()).isTrue();
        assertThat(pool.worker(1).ring.counters().violations()).isEqualTo(1);
        honest(1);
        assertThat(pool.worker(0).inbox.lost).isEmpty();
        assertThat(pool.worker(1).inbox.lost).noneMatch(lost -> lost.startsWith("w0"));
        return last.getRefused().getMessage();
    }

    private RingMessage frame(UnaryOperator<Frame.Builder> change) {
        RingMessage good =
                MessagePublisher.toWire(Pool.frames(Pool.frame(ticket, 1, 1)), HiddenCodec.F32);
        Frame.Builder frame = change.apply(good.getFrames().getFrames(0).toBuilder());
        return RingMessage.newBuilder().setFrames(Frames.newBuilder().addFrames(frame)).build();
    }

    private RingMessage open(UnaryOperator<OpenSession.Builder> change) {
        OpenSession.Builder open =
                OpenSession.newBuilder().setTicket(Tickets.toWire(ticket)).setStage(1);
        return RingMessage.newBuilder().setOpen(change.apply(open)).build();
    }

    @Test
    void aNewerProtocolIsToldWhichSideToUpgrade() throws IOException {
        ProtocolVersion future =
                ProtocolVersion.newBuilder()
                        .setSpeaks(Limits.PROTOCOL_VERSION + 2)
                        .setUnderstandsFrom(Limits.PROTOCOL_VERSION + 1)
                        .build();
        assertThat(refusalOf(hello("x", h -> h.setProtocol(future)))).contains("upgrade");
    }

    @Test
    void aPeerWithoutAVersionIsRefused() throws IOException {
        assertThat(refusalOf(hello("x", LinkHello.Builder::clearProtocol))).contains("protocol");
    }

    @Test
    void helloMustComeFirstAndOnceAndNameAnIdAndACodec() throws IOException {
        assertThat(refusalOf(frame(f -> f))).contains("begins with a hello");
    }

    @Test
    void aSecondHelloIsRefused() throws IOException {
        assertThat(refusalOf(hello("x"), hello("x"))).contains("twice");
    }

    @Test
    void kvIsForTheStageThatTheTicketNames() throws IOException {
        KvWanted wanted =
                KvWanted.newBuilder().setTicket(Tickets.toWire(ticket)).setStage(2).build();
        assertThat(refusalOf(hello("x"), RingMessage.newBuilder().setKvWanted(wanted).build()))
                .contains("asks for KV which by its ticket it may not have");
    }

    @Test
    void kvBeyondItsBoundIsRefused() throws IOException {
        KvPart part =
                KvPart.newBuilder()
                        .setSessionHigh(ticket.ticket().session().high())
                        .setSessionLow(ticket.ticket().session().low())
                        .setEpoch(1)
                        .setPositions(1)
                        .setBytes(Limits.MAX_KV_BYTES + 1L)
                        .build();
        assertThat(refusalOf(hello("x"), RingMessage.newBuilder().setKvPart(part).build()))
                .contains("sent KV that nobody takes");
    }

    @Test
    void anEmptyIdIsRefused() throws IOException {
        assertThat(refusalOf(hello(""))).contains("worker's id");
    }

    @Test
    void unknownCodecsOnlyAreRefused() throws IOException {
        RingMessage odd = hello("x", h -> h.clearCodecs().addCodecsValue(77));
        assertThat(refusalOf(odd)).contains("codecs");
    }

    @Test
    void aMessageOfAnUnknownKindIsRefused() throws IOException {
        RingMessage unknown = RingMessage.parseFrom(new byte[] {(byte) 0x98, 6, 1});
        assertThat(refusalOf(hello("x"), unknown)).contains("cannot be read");
    }

    @Test
    void aSignOfLifeIsNoMessage() throws IOException {
        link.sendLength(0);
        link.send(hello("x"));
        link.sendLength(0);
        assertThat(link.reply().hasWelcome()).isTrue();
        assertThat(refusalOf(hello("x"))).contains("twice");
    }

    @Test
    void aForeignSessionsFramesAreRefused() throws IOException {
        assertThat(refusalOf(hello("mallory"), frame(f -> f))).contains("only the stage before");
    }

    @Test
    void tokensFromAnyoneButTheTailAreRefused() throws IOException {
        Token token = Token.newBuilder().setSessionHigh(1).setSessionLow(1).setEpoch(1).build();
        RingMessage tokens =
                RingMessage.newBuilder().setTokens(Tokens.newBuilder().addTokens(token)).build();
        assertThat(refusalOf(hello("w2"), tokens)).contains("only the tail");
    }

    @Test
    void aFailureSentToAnyoneButTheHeadIsRefused() throws IOException {
        SessionFailed failed =
                SessionFailed.newBuilder().setSessionHigh(1).setSessionLow(1).setEpoch(1).build();
        assertThat(refusalOf(hello("w2"), RingMessage.newBuilder().setFailed(failed).build()))
                .contains("for the head");
    }

    @Test
    void aForgedTicketIsRefused() throws IOException {
        byte[] forged = ticket.bytes().clone();
        forged[3] ^= 1;
        RingMessage open =
                open(o -> o.setTicket(o.getTicketBuilder().setTicket(ByteString.copyFrom(forged))));
        assertThat(refusalOf(hello("mallory"), open)).contains("forged");
    }

    @Test
    void aStolenTicketIsRefused() throws IOException {
        assertThat(refusalOf(hello("mallory"), open(o -> o))).contains("only the stage before");
    }

    @Test
    void aTicketForAnotherWorkersStageIsRefused() throws IOException {
        assertThat(refusalOf(hello("w1"), open(o -> o.setStage(2)))).contains("names worker w2");
    }

    @Test
    void aStageOutsideTheRouteIsRefused() throws IOException {
        assertThat(refusalOf(hello("mallory"), open(o -> o.setStage(3)))).contains("no stage 3");
    }

    @Test
    void aNegativeStageIsRefused() throws IOException {
        assertThat(refusalOf(hello("mallory"), open(o -> o.setStage(-1)))).contains("4294967295");
    }

    /** From here on the peer claims to be the rightful w0, on a link of its own. */
    private String refusalOfNeighbour(RingMessage bad) throws IOException {
        link.send(hello("w0"));
        link.send(bad);
        String sentence = link.lastReply().getRefused().getMessage();
        assertThat(pool.worker(1).ring.counters().violations()).isEqualTo(1);
        return sentence;
    }

    @Test
    void tooFewBytesAreRefused() throws IOException {
        RingMessage bad = frame(f -> f.setHidden(f.getHidden().substring(1)));
        assertThat(refusalOfNeighbour(bad)).contains("63 bytes").contains("64 are right");
    }

    @Test
    void anotherCodecThanAgreedIsRefused() throws IOException {
        RingMessage bad = frame(f -> f.setCodec(HiddenCodecMessage.HIDDEN_CODEC_F16));
        assertThat(refusalOfNeighbour(bad)).contains("agreed on F32");
    }

    @Test
    void positionsBeyondTheTicketAreRefused() throws IOException {
        assertThat(refusalOfNeighbour(frame(f -> f.setFirstPosition(256)))).contains("granted 256");
    }

    @Test
    void hugePositionsAreRefused() throws IOException {
        assertThat(refusalOfNeighbour(frame(f -> f.setFirstPosition(-1)))).contains("4294967295");
    }

    @Test
    void tooManyPositionsAreRefused() throws IOException {
        RingMessage bad =
                frame(f -> {
                    for (int i = 0; i < Limits.MAX_FRAME_POSITIONS; i++) {
                        f.addTokens(1);
                    }
                    return f;
                });
        assertThat(refusalOfNeighbour(bad)).contains("513");
    }

    @Test
    void tokensOutsideTheVocabularyAreRefused() throws IOException {
        assertThat(refusalOfNeighbour(frame(f -> f.setTokens(0, Pool.VOCABULARY))))
                .contains("the model has 100");
    }

    @Test
    void samplingOutOfRangeIsRefused() throws IOException {
        SamplingMessage hot = SamplingMessage.newBuilder().setTemperature(Float.NaN).build();
        assertThat(refusalOfNeighbour(open(o -> o.setSampling(hot)))).contains("temperature");
    }

    @Test
    void garbageBytesEndTheLinkOnly() throws IOException {
        link.send(hello("x"));
        link.sendBytes(new byte[] {(byte) 0xff, (byte) 0xff, 1, 2, 3});
        assertThat(link.lastReply().getRefused().getMessage()).contains("cannot be read");
        await().until(() -> !pool.worker(1).inbox.lost.isEmpty());
        assertThat(pool.worker(1).inbox.lost).allMatch(lost -> lost.startsWith("x: "));
        honest(1);
    }

    @Test
    void aMessageBeyondTheSizeLimitIsRefusedAtItsLength() throws IOException {
        link.send(hello("x"));
        link.sendLength(Limits.MAX_MESSAGE_BYTES + 1);
        assertThat(link.lastReply().getRefused().getMessage()).contains("announced");
        await().until(() -> !pool.worker(1).inbox.lost.isEmpty());
        honest(1);
    }

    @Test
    void aNegativeLengthIsRefused() throws IOException {
        link.sendLength(-1);
        assertThat(link.lastReply().getRefused().getMessage()).contains("4294967295 bytes");
        honest(1);
    }

    @Test
    void aLengthWithoutItsBytesCostsNothingAndHoldsNobodyUp() throws IOException {
        link.send(hello("x"));
        assertThat(link.reply().hasWelcome()).isTrue();
        link.sendLength(Limits.MAX_MESSAGE_BYTES);
        honest(1);
        link.close();
        await().until(() -> !pool.worker(1).inbox.lost.isEmpty());
        assertThat(pool.worker(1).inbox.lost).allMatch(lost -> lost.startsWith("x: "));
    }

    @Test
    void aMessageThatDripsInByteByByteIsRead() throws IOException {
        link.send(hello("w0"));
        assertThat(link.reply().hasWelcome()).isTrue();
        int before = pool.worker(1).inbox.messages.size();
        link.drip(frame(f -> f));
        await().until(() -> pool.worker(1).inbox.messages.size() == before + 1);
    }

    @Test
    void whatIsNotEvenHttpIsHungUpOn() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), pool.worker(1).port())) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(US_ASCII));
            socket.setSoTimeout(10_000);
            socket.getInputStream().readAllBytes(); // returns: the worker hangs up
        }
        honest(1);
    }
}
