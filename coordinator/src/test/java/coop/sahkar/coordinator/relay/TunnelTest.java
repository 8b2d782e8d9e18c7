package coop.sahkar.coordinator.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A tunnel between two ends that do as they are told, at a desk without a clock. */
class TunnelTest {
    private final FakeDesk desk = new FakeDesk();
    private final FakeEnd caller = new FakeEnd();
    private final FakeEnd worker = new FakeEnd();
    private final Tunnel tunnel = new Tunnel("w", caller, desk);

    private static final class FakeDesk implements Tunnel.Desk {
        final Queue<Runnable> later = new ArrayDeque<>();
        long nanos;
        long wait;
        long bytes;
        int ended;

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public long passed(Tunnel which, int count) {
            bytes += count;
            return wait;
        }

        @Override
        public void later(Runnable task, long delay) {
            later.add(task);
        }

        @Override
        public void ended(Tunnel which) {
            ended++;
        }
    }

    private static final class FakeEnd implements TunnelEnd {
        final List<ByteString> sent = new ArrayList<>();
        boolean ready = true;
        int asked;
        int closed;
        @Nullable Problem why;

        @Override
        public void joins(Tunnel joined) {}

        @Override
        public void send(ByteString data) {
            sent.add(data);
        }

        @Override
        public boolean isReady() {
            return ready;
        }

        @Override
        public void ask() {
            asked++;
        }

        @Override
        public void close(@Nullable Problem reason) {
            closed++;
            why = reason;
        }
    }

    private static ByteString bytes(int count) {
        return ByteString.copyFrom(new byte[count]);
    }

    @Test
    void nothingIsAskedForBeforeTheWorkerTakesTheCall() {
        assertThat(caller.asked).isZero();

        assertThat(tunnel.taken(worker)).isTrue();
        assertThat(caller.asked).isEqualTo(1);
        assertThat(worker.asked).isEqualTo(1);
        assertThat(tunnel.taken(new FakeEnd())).as("once only").isFalse();
    }

    @Test
    void piecesPassBothWaysAndAreCounted() {
        tunnel.taken(worker);

        tunnel.received(caller, bytes(10));
        tunnel.received(worker, bytes(20));
        tunnel.received(worker, bytes(30));

        assertThat(worker.sent).containsExactly(bytes(10));
        assertThat(caller.sent).containsExactly(bytes(20), bytes(30));
        assertThat(desk.bytes).isEqualTo(60);
        assertThat(worker.asked).isEqualTo(3);
    }

    @Test
    void aSlowReaderHoldsBackTheWriterAndNobodyElse() {
        tunnel.taken(worker);
        worker.ready = false;

        tunnel.received(caller, bytes(1));
        tunnel.received(worker, bytes(1));
        assertThat(caller.asked).as("no second piece from the caller").isEqualTo(1);
        assertThat(worker.asked).isEqualTo(2);

        worker.ready = true;
        tunnel.ready(worker);
        tunnel.ready(worker);
        assertThat(caller.asked).as("asked once, however often it is ready").isEqualTo(2);
    }

    @Test
    void beyondTheRateTheNextPieceWaits() {
        tunnel.taken(worker);
        desk.wait = 5;

        tunnel.received(caller, bytes(1));
        tunnel.ready(worker);
        assertThat(caller.asked).isEqualTo(1);

        desk.later.remove().run();
        assertThat(caller.asked).isEqualTo(2);
    }

    @Test
    void whoSendsUnaskedOrTooMuchIsCutOff() {
        tunnel.taken(worker);
        worker.ready = false;
        tunnel.received(caller, bytes(1));
        tunnel.received(caller, bytes(1));

        assertThat(worker.sent).hasSize(1);
        assertCutOff("before it was asked");
    }

    @Test
    void anOversizedPieceIsCutOff() {
        tunnel.taken(worker);
        tunnel.received(caller, bytes(Limits.MAX_RELAY_CHUNK_BYTES + 1));

        assertThat(worker.sent).isEmpty();
        assertCutOff("65537 bytes");
    }

    @Test
    void anEmptyPieceIsCutOff() {
        tunnel.taken(worker);
        tunnel.received(worker, ByteString.EMPTY);

        assertCutOff("0 bytes");
    }

    private void assertCutOff(String why) {
        for (FakeEnd end : List.of(caller, worker)) {
            assertThat(end.closed).isEqualTo(1);
            assertThat(end.why).isNotNull();
            assertThat(String.valueOf(end.why)).contains(why);
        }
        assertThat(desk.ended).isEqualTo(1);
    }

    @Test
    void theEndIsToldOnceToBothAndNothingPassesAfterIt() {
        tunnel.taken(worker);
        tunnel.end(null);
        tunnel.end(Problem.of(Problem.Kind.WORKER_LOST, "again"));
        tunnel.received(caller, bytes(1));

        assertThat(caller.closed).isEqualTo(1);
        assertThat(worker.closed).isEqualTo(1);
        assertThat(worker.why).isNull();
        assertThat(worker.sent).isEmpty();
        assertThat(desk.ended).isEqualTo(1);
    }

    @Test
    void aCallThatWasGivenUpIsNotTaken() {
        tunnel.end(null);

        assertThat(tunnel.taken(worker)).isFalse();
        assertThat(worker.asked).isZero();
    }

    @Test
    void idlenessCountsFromTheLastPiece() {
        tunnel.taken(worker);
        desk.nanos = 50;
        tunnel.received(caller, bytes(1));

        assertThat(tunnel.idleSince(50)).isFalse();
        assertThat(tunnel.idleSince(51)).isTrue();
    }
}
