package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Limits;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.v1.ResumePoint;
import coop.sahkar.proto.v1.StreamMark;
import coop.sahkar.proto.v1.StreamPlace;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whom the id of an event lets go on with a stream, and for how long. */
class StreamMarksTest {
    private static final long BEGUN = 1_000_000;
    private static final StreamMarks.Asked ASKED =
            new StreamMarks.Asked("asha", true, new byte[] {1, 2, 3});
    private static final StreamMark NAMES =
            StreamMark.newBuilder().setSeed(7).setAnswer(8).setCreatedSeconds(1_000).build();
    private static final StreamPlace PLACE =
            StreamPlace.newBuilder().setBytes(12).setTokens(4).setAgeTenths(50).build();

    private final ScriptedPool pool = new ScriptedPool();
    private final GenerationRunner runner = new GenerationRunner(pool, GatewayFixture.SHORT);
    private final AtomicLong millis = new AtomicLong(BEGUN + 5_000);
    private final StreamMarks marks = new StreamMarks(runner, millis::get);

    @BeforeEach
    void sign() throws GeneralSecurityException {
        pool.signer = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    }

    @AfterEach
    void close() {
        runner.close();
    }

    @Test
    void whoAskedTheSameGoesOnWithTheSession() {
        StreamMarks.Found found = marks.find(ASKED, mark("caller"), StreamMarks.of(PLACE));
        assertThat(found).isNotNull();
        assertThat(found.mark().getSeed()).isEqualTo(7);
        assertThat(found.place()).isEqualTo(PLACE);
        assertThat(found.resume().getHeardTokens()).isEqualTo(4);
        assertThat(found.resume().getCommittedCount()).isZero();
        assertThat(pool.ticketOf(found.resume().getPoint().getTicket()))
                .isEqualTo(ticket("caller", 3));
    }

    @Test
    void laterTriesHaveLaterNumbersUntilItIsTooLate() {
        String mark = mark("caller");
        int before = 0;
        for (long after : List.of(0L, 500L, 5_000L, GatewayLimits.MARK_MILLIS)) {
            millis.set(BEGUN + 5_000 + after);
            StreamMarks.Found found = marks.find(ASKED, mark, StreamMarks.of(PLACE));
            assertThat(found).as("after %d ms", after).isNotNull();
            assertThat(found.resume().getAttempt()).isGreaterThan(before);
            before = found.resume().getAttempt();
        }
        millis.addAndGet(100);
        assertThat(marks.find(ASKED, mark, StreamMarks.of(PLACE))).isNull();
    }

    @Test
    void otherCallersAndRequestsAndForgeriesFindNothing() throws Exception {
        String mark = mark("caller");
        String place = StreamMarks.of(PLACE);
        byte[] body = {1, 2, 3};
        byte[] another = {1, 2, 4};
        for (StreamMarks.Asked asked :
                List.of(
                        new StreamMarks.Asked("ben", true, body),
                        new StreamMarks.Asked("asha", false, body),
                        new StreamMarks.Asked("asha", true, another))) {
            assertThat(marks.find(asked, mark, place)).isNull();
        }
        for (String damaged : List.of("", "!", mark.substring(4), mark + "A", place)) {
            assertThat(marks.find(ASKED, damaged, place)).as(damaged).isNull();
        }
        assertThat(marks.find(ASKED, mark, "!")).isNull();
        pool.signer = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        assertThat(marks.find(ASKED, mark, place)).isNull();
    }

    @Test
    void aCallerWhoHoldsATicketOfHisOwnCannotMakeOneForAnother() {
        StreamMarks.Found found = marks.find(ASKED, mark("caller"), StreamMarks.of(PLACE));
        assertThat(found).isNotNull();
        StreamMark changed =
                found.mark().toBuilder()
                        .setCallerMark("victim")
                        .setProof(found.resume().getPoint().getTicket())
                        .build();
        String forged =
                Base64.getUrlEncoder().withoutPadding().encodeToString(changed.toByteArray());
        assertThat(marks.find(ASKED, forged, StreamMarks.of(PLACE))).isNull();
    }

    @Test
    void whatWouldNotFitIntoAHeaderIsNotWritten() {
        assertThat(mark("caller")).isNotEmpty();
        assertThat(marks.of(ASKED, NAMES, point(ticket("caller", Limits.MAX_STAGES)))).isEmpty();
    }

    private String mark(String caller) {
        return marks.of(ASKED, NAMES, point(ticket(caller, 3)));
    }

    private ResumePoint point(Ticket ticket) {
        SealedTicket sealed = pool.seal(ticket);
        assertThat(sealed).isNotNull();
        return ResumePoints.of(sealed, 1, BEGUN);
    }

    private static Ticket ticket(String caller, int stages) {
        List<RouteStage> route =
                IntStream.range(0, stages)
                        .mapToObj(i ->
                                new RouteStage(
                                        "worker-" + i,
                                        "worker-%d.example.org:7311".formatted(i),
                                        new Span(i, i + 1)))
                        .toList();
        return new Ticket(
                new SessionId(1, 2),
                1,
                ScriptedPool.MODEL,
                stages,
                route,
                caller,
                512,
                Long.MAX_VALUE,
                1);
    }
}
