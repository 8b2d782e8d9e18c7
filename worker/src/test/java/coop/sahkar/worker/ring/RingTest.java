package coop.sahkar.worker.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.HiddenStates;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.Keep;
import coop.sahkar.worker.engine.Links;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.StageShape;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Two or three workers in one process, over real sockets. */
final class RingTest {

    @Test
    void everyKindOfMessageGoesRound() throws Exception {
        try (Pool pool = new Pool(3)) {
            SealedTicket ticket = pool.ticket(1, 1);
            SessionId id = ticket.ticket().session();
            pool.admitAtHead(ticket);
            Pool.Worker head = pool.worker(0);
            Pool.Worker middle = pool.worker(1);
            Pool.Worker tail = pool.worker(2);
            head.send(middle, new StageMessage.Open(ticket, 1, Pool.GREEDY));
            head.send(middle, Pool.frames(Pool.frame(ticket, 0, 3)));
            middle.send(tail, new StageMessage.Open(ticket, 2, Pool.GREEDY));
            middle.send(tail, Pool.frames(Pool.frame(ticket, 0, 3)));
            await().until(() -> tail.inbox.messages.size() == 2);
            var progress = new StageMessage.Progress(id, 1, 2);
            var token = new StageMessage.Token(id, 1, 3, 42, List.of(), List.of(), 12_000);
            var tokens = new StageMessage.Tokens(List.of(token));
            var need = new StageMessage.NeedFrom(id, 1, 1);
            var failed =
                    new StageMessage.Failed(
                            id, 1, Problem.of(Problem.Kind.OVERLOADED, "full"), "w2");
            tail.send(head, progress);
            tail.send(head, tokens);
            tail.send(middle, need);
            tail.send(head, failed);
            await().until(() -> head.inbox.messages.size() == 3);
            await().until(() -> middle.inbox.messages.size() == 3);
            assertThat(head.inbox.messages).containsExactly(progress, tokens, failed);
            assertThat(middle.inbox.messages).endsWith(need);
            StageMessage.Open opened = middle.inbox.of(StageMessage.Open.class).getFirst();
            assertThat(opened.ticket().ticket()).isEqualTo(ticket.ticket());
            assertThat(opened.sampling()).isEqualTo(Pool.GREEDY);
            StageMessage.Frame frame =
                    tail.inbox.of(StageMessage.Frames.class).getFirst().frames().getFirst();
            assertThat(frame.hidden()).isEqualTo(Pool.frame(ticket, 0, 3).hidden());
            assertThat(frame.tokens()).containsExactly(0, 1, 2);
            assertThat(frame.computedMicros()).isEqualTo(Pool.COMPUTED_MICROS);
            head.send(middle, new StageMessage.Close(id, 1));
            await().until(() -> middle.ring.directory().sessionCount() == 0);
            assertThat(head.ring.directory().sessionCount()).isZero();
            assertThat(middle.inbox.messages).endsWith(new StageMessage.Close(id, 1));
        }
    }

    /** Worker 0 stands for one that leaves a route, and whose place worker 1 takes. */
    @Test
    void kvIsAskedForOfAWorkerThatIsNotOnTheRouteAndComes() throws Exception {
        try (Pool pool = new Pool(3)) {
            SealedTicket ticket = pool.ticket(1, 2);
            SessionId id = ticket.ticket().session();
            Pool.Worker leaver = pool.worker(0);
            Pool.Worker heir = pool.worker(1);
            var open =
                    new StageMessage.Open(ticket, 1, Pool.GREEDY, Keep.NOTHING, pool.ticket(1, 1));
            leaver.send(heir, open);
            await().until(() -> heir.inbox.messages.size() == 1);
            StageMessage.Open opened = heir.inbox.of(StageMessage.Open.class).getFirst();
            assertThat(Objects.requireNonNull(opened.before()).ticket().epoch()).isEqualTo(1);
            var wanted = new StageMessage.KvWanted("w0", ticket, 1, 1, 20, "kind", 4096);
            heir.send(leaver, wanted);
            await().until(() -> heir.inbox.messages.size() == 2);
            StageMessage.KvPart none = heir.inbox.of(StageMessage.KvPart.class).getFirst();
            assertThat(none.positions()).as("worker 0 has no such blocks").isZero();
            StageShape shape = new StageShape(heir.stage.span(), 6, Pool.WIDTH, 0, 64, 2, 8);
            leaver.ring.directory().register(Pool.MODEL, shape, leaver.inbox);
            heir.send(leaver, wanted);
            await().until(() -> leaver.inbox.messages.size() == 1);
            StageMessage.KvWanted came = leaver.inbox.of(StageMessage.KvWanted.class).getFirst();
            assertThat(came.ticket().ticket()).isEqualTo(ticket.ticket());
            assertThat(came.offset()).isEqualTo(4096);
            assertThat(came.format()).isEqualTo("kind");
            ByteBuffer piece = ByteBuffer.wrap(new byte[] {1, 2, 3}).asReadOnlyBuffer();
            leaver.send(
                    heir, new StageMessage.KvPart(id, 2, "w9", 2, 8, 4, new int[] {5, 6}, piece));
            await().until(() -> heir.inbox.messages.size() == 3);
            StageMessage.KvPart part = heir.inbox.of(StageMessage.KvPart.class).getLast();
            assertThat(part.workerId()).as("who sent it, not whom it names").isEqualTo("w0");
            assertThat(part.part()).isEqualTo(piece);
            assertThat(part.tokens()).containsExactly(5, 6);
            assertThat(part.offset()).isEqualTo(4);
        }
    }

    @Test
    void halfPrecisionLinksCarryHalfPrecision() throws Exception {
        try (Pool pool = new Pool(2, List.of(HiddenCodec.F16, HiddenCodec.F32))) {
            SealedTicket ticket = pool.ticket(1, 1);
            Links links = pool.worker(0).ring.links();
            assertThat(links.codec(pool.worker(1).stage)).isEqualTo(HiddenCodec.F32);
            pool.worker(0).send(pool.worker(1), new StageMessage.Open(ticket, 1, Pool.GREEDY));
            pool.worker(0).send(pool.worker(1), Pool.frames(Pool.frame(ticket, 0, 5)));
            await().until(() -> pool.worker(1).inbox.messages.size() == 2);
            assertThat(links.codec(pool.worker(1).stage)).isEqualTo(HiddenCodec.F16);
            StageMessage.Frame frame =
                    pool.worker(1)
                            .inbox
                            .of(StageMessage.Frames.class)
                            .getFirst()
                            .frames()
                            .getFirst();
            assertThat(frame.codec()).isEqualTo(HiddenCodec.F16);
            assertThat(frame.hidden().remaining()).isEqualTo(5 * Pool.WIDTH * 2);
            ByteBuffer f32 = ByteBuffer.allocate(5 * Pool.WIDTH * 4);
            HiddenStates.decode(frame.hidden(), frame.codec(), f32);
            assertThat(f32).isEqualTo(Pool.frame(ticket, 0, 5).hidden());
        }
    }

    @Test
    void aFullMailboxHoldsTheSenderBackAndLosesNothing() throws Exception {
        try (Pool pool = new Pool(2)) {
            SealedTicket ticket = pool.ticket(1, 1);
            Pool.Worker tail = pool.worker(1);
            tail.inbox.capacity = 3;
            pool.worker(0).send(tail, new StageMessage.Open(ticket, 1, Pool.GREEDY));
            for (int i = 0; i < 100; i++) {
                pool.worker(0).send(tail, Pool.frames(Pool.frame(ticket, i, 1)));
            }
            await().until(() -> tail.ring.counters().fullMailboxes() > 2);
            assertThat(tail.inbox.messages).hasSize(3);
            assertThat(tail.ring.counters().received()).isLessThanOrEqualTo(4);
            tail.inbox.capacity = Integer.MAX_VALUE;
            await().until(() -> tail.inbox.messages.size() == 101);
            List<Integer> positions =
                    tail.inbox.of(StageMessage.Frames.class).stream()
                            .map(frames -> frames.frames().getFirst().firstPosition())
                            .toList();
            assertThat(positions).isSorted().hasSize(100);
        }
    }

    @Test
    void aPeerThatReadsNothingBreaksTheLinkOnceTheQueueIsFull() throws Exception {
        try (Pool pool = new Pool(2)) {
            SealedTicket ticket = pool.ticket(1, 1);
            Pool.Worker tail = pool.worker(1);
            Pool.Worker head = pool.worker(0);
            tail.inbox.capacity = 1;
            head.send(tail, new StageMessage.Open(ticket, 1, Pool.GREEDY));
            StageMessage.Frames big = Pool.frames(Pool.frame(ticket, 0, 256));
            int sent = 0;
            while (head.inbox.lost.isEmpty() && sent < 100_000) {
                head.send(tail, big);
                sent++;
            }
            assertThat(head.inbox.lost).hasSize(1);
            assertThat(head.inbox.lost.getFirst()).startsWith("w1: 4096 messages");
        }
    }

    @Test
    void refusedConnectionIsToldAndNotDialledInAHotLoop() throws Exception {
        // Bound, so that nobody else gets the port, and not listening, so that dials are refused.
        try (Pool pool = new Pool(1);
                SocketChannel bound =
                        SocketChannel.open()
                                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            int port = bound.socket().getLocalPort();
            RouteStage dead = new RouteStage("dead", "127.0.0.1:" + port, new Span(2, 4));
            Pool.Worker worker = pool.worker(0);
            var close = new StageMessage.Close(new SessionId(1, 1), 1);
            worker.ring.links().send(dead, close);
            await().until(() -> !worker.inbox.lost.isEmpty());
            assertThat(worker.inbox.lost.getFirst()).contains("dead: ").contains("refused");
            // The pause grows with each failed dial, so that a send soon falls into one.
            await().until(() -> {
                worker.ring.links().send(dead, close);
                return worker.inbox.lost.stream()
                        .anyMatch(text -> text.contains("lost a moment ago"));
            });
            assertThat(worker.ring.counters().brokenLinks()).isLessThan(10);
        }
    }

    @Test
    void aLinkDialledAheadIsUsedByTheFirstSend() throws Exception {
        try (Pool pool = new Pool(2)) {
            Pool.Worker head = pool.worker(0);
            Pool.Worker tail = pool.worker(1);
            head.ring.dialAhead("w1", tail.stage.endpoint());
            head.ring.dialAhead("w1", tail.stage.endpoint());
            head.send(tail, new StageMessage.Open(pool.ticket(1, 1), 1, Pool.GREEDY));
            await().until(() -> tail.inbox.messages.size() == 1);
            assertThat(tail.ring.counters().brokenLinks()).as("second links of w0").isZero();
        }
    }

    @Test
    void onlyWhoWasSentSomethingIsMissed() throws Exception {
        try (Pool pool = new Pool(1);
                SocketChannel bound =
                        SocketChannel.open()
                                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            String endpoint = "127.0.0.1:" + bound.socket().getLocalPort();
            RouteStage dead = new RouteStage("dead", endpoint, new Span(2, 4));
            Pool.Worker worker = pool.worker(0);
            worker.ring.dialAhead(dead.workerId(), endpoint);
            await().until(() -> worker.ring.counters().brokenLinks() == 1);
            assertThat(worker.inbox.lost).isEmpty();
            worker.ring.links().send(dead, new StageMessage.Close(new SessionId(1, 1), 1));
            await().until(() -> !worker.inbox.lost.isEmpty());
        }
    }

    @Test
    void aKilledPeerIsNoticedOnBothSidesAndDialledAgainWhenItIsBack() throws Exception {
        try (Pool pool = new Pool(2)) {
            Pool.Worker head = pool.worker(0);
            Pool.Worker tail = pool.worker(1);
            SealedTicket ticket = pool.ticket(1, 1);
            pool.admitAtHead(ticket);
            head.send(tail, new StageMessage.Open(ticket, 1, Pool.GREEDY));
            await().until(() -> tail.inbox.messages.size() == 1);
            tail.send(head, new StageMessage.Progress(ticket.ticket().session(), 1, 1));
            await().until(() -> head.inbox.messages.size() == 1);
            tail.close();
            await().until(() -> head.inbox.lost.size() >= 2);
            assertThat(head.inbox.lost).allMatch(text -> text.startsWith("w1: "));
            int port = tail.port();
            Pool.Worker back = pool.start(RingOptions.defaults("w1"), 1, 2, port, List.of());
            pool.workers.set(1, back);
            SealedTicket second = pool.ticket(2, 1);
            await().until(() -> {
                head.send(back, new StageMessage.Open(second, 1, Pool.GREEDY));
                return !back.inbox.messages.isEmpty();
            });
        }
    }

    @Test
    void thatASessionIsOverIsSaidAgainToAPeerThatWasAway() throws Exception {
        try (Pool pool = new Pool(2)) {
            Pool.Worker head = pool.worker(0);
            Pool.Worker tail = pool.worker(1);
            SealedTicket ticket = pool.ticket(1, 1);
            SessionId session = ticket.ticket().session();
            pool.admitAtHead(ticket);
            head.send(tail, new StageMessage.Open(ticket, 1, Pool.GREEDY));
            await().until(() -> tail.inbox.messages.size() == 1);
            tail.close();
            await().until(() -> !head.inbox.lost.isEmpty());
            int told = head.inbox.lost.size();
            head.send(tail, new StageMessage.Close(session, 1));
            await().until(() -> head.inbox.lost.size() > told);
            Pool.Worker back = pool.start(RingOptions.defaults("w1"), 1, 2, tail.port(), List.of());
            pool.workers.set(1, back);
            await().until(() -> back.ring.counters().received() == 1);
        }
    }

    @Test
    void anotherWorkerAtTheEndpointIsNotTakenForTheRightOne() throws Exception {
        try (Pool pool = new Pool(2)) {
            RouteStage stranger =
                    new RouteStage("w9", pool.worker(1).stage.endpoint(), new Span(2, 4));
            SealedTicket ticket = pool.ticket(1, 1);
            pool.worker(0)
                    .ring
                    .links()
                    .send(stranger, new StageMessage.Open(ticket, 1, Pool.GREEDY));
            await().until(() -> !pool.worker(0).inbox.lost.isEmpty());
            assertThat(pool.worker(0).inbox.lost.getFirst())
                    .isEqualTo("w9: another worker answers there: w1");
            assertThat(pool.worker(1).inbox.messages).isEmpty();
        }
    }

    @Test
    void endpointsThatAreNoneAreToldAsSuch() throws Exception {
        try (Pool pool = new Pool(1)) {
            for (String endpoint : List.of("", "nowhere", "a b:1", "host:99999", "host:-1")) {
                RouteStage odd = new RouteStage("odd", endpoint, new Span(2, 4));
                pool.worker(0)
                        .ring
                        .links()
                        .send(odd, new StageMessage.Close(new SessionId(1, 1), 1));
            }
            await().until(() -> pool.worker(0).inbox.lost.size() == 5);
            assertThat(pool.worker(0).inbox.lost).allMatch(text -> text.contains("host:port"));
        }
    }
}
