package coop.sahkar.worker.ring;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.SignedTicket;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.StageShape;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Somebody sets a worker's clock while sessions run and tickets are under way. */
class ClockJumpTest {
    private static final long HOUR = 3_600_000;
    private static final long LIFETIME = 60_000;
    private static final Span SPAN = new Span(0, 2);

    private final AtomicLong set = new AtomicLong(1_800_000_000_000L);
    private final AtomicLong passed = new AtomicLong();
    private final RecordingInbox inbox = new RecordingInbox();
    private KeyPair keys;
    private SessionDirectory directory;

    @BeforeEach
    void start() throws Exception {
        keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        directory =
                new SessionDirectory(
                        RingOptions.defaults("w"),
                        _ -> keys.getPublic(),
                        new PoolClock(set::get, passed::get));
        directory.register(Pool.MODEL, new StageShape(SPAN, 2, 16, 100, 1024, 8, 64), inbox);
    }

    private void pass(long millis) {
        set.addAndGet(millis);
        passed.addAndGet(millis);
    }

    private SignedTicket ticket(long session) {
        List<RouteStage> route = List.of(new RouteStage("w", "127.0.0.1:1", SPAN));
        return Tickets.toWire(
                Tickets.seal(
                        new Ticket(
                                new SessionId(1, session),
                                1,
                                Pool.MODEL,
                                2,
                                route,
                                "",
                                256,
                                set.get() + LIFETIME,
                                1),
                        "k",
                        keys.getPrivate()));
    }

    @ParameterizedTest
    @ValueSource(longs = {HOUR, -HOUR})
    void sessionsStayAndTicketsAreGoodForTheirTime(long jump) {
        directory.admitHead(ticket(1));
        SignedTicket before = ticket(2);
        set.addAndGet(jump);
        directory.sweep();
        assertThat(directory.sessionCount()).isEqualTo(1);
        assertThat(directory.admitHead(before)).isInstanceOf(SessionDirectory.Admitted.class);

        SignedTicket late = ticket(3); // by a coordinator whose clock was set too
        pass(RingOptions.defaults("w").sessionIdleMillis() + 1);
        directory.sweep();
        assertThat(directory.sessionCount()).isZero();
        assertThat(inbox.of(StageMessage.Close.class)).hasSize(2);
        set.addAndGet(-jump);
        pass(LIFETIME + HOUR);
        assertThat(directory.admitHead(late)).isInstanceOf(SessionDirectory.Denied.class);
    }
}
