package coop.sahkar.worker.peers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class PeerBookTest {
    private static final PeerAddress A = new PeerAddress("a", "a:1");
    private static final PeerAddress B = new PeerAddress("b", "b:1");
    private final PeerBook book = new PeerBook();

    @Test
    void halvesTripsAndTellsEachCoordinatorWhatItAsked() {
        book.wanted("c1", List.of(A));
        book.wanted("c2", List.of(A, B));
        assertThat(book.all()).containsExactly(A, B);
        trip(A, 800);
        trip(B, 50);
        assertThat(book.latencies("c1")).isEqualTo(Map.of("a", 400));
        assertThat(book.latencies("c2")).isEqualTo(Map.of("a", 400, "b", 25));
        assertThat(book.latencies("c3")).isEmpty();
    }

    @Test
    void believesShorterTripsQuicklyAndLongerOnesSlowly() {
        book.wanted("c", List.of(A));
        trip(A, 2_000);
        trip(A, 1_000);
        assertThat(book.latencies("c")).containsEntry("a", 750);
        trip(A, 5_500);
        assertThat(book.latencies("c")).containsEntry("a", 1_250);
    }

    @Test
    void thriceWithoutAnAnswerIsUnreachableUntilItAnswers() {
        book.wanted("c", List.of(A));
        trip(A, 800);
        book.measured(A, OptionalLong.empty());
        book.measured(A, OptionalLong.empty());
        assertThat(book.latencies("c")).containsEntry("a", 400);
        book.measured(A, OptionalLong.empty());
        assertThat(book.latencies("c")).containsEntry("a", PeerBook.UNREACHABLE);
        trip(A, 800);
        assertThat(book.latencies("c")).containsEntry("a", 400);
    }

    @Test
    void forgetsWhatNobodyWantsAndWhatMoved() {
        book.wanted("c", List.of(A, B));
        trip(A, 800);
        trip(B, 800);
        book.wanted("c", List.of(new PeerAddress("a", "a:2")));
        assertThat(book.latencies("c")).isEmpty();
        book.wanted("c", List.of(B));
        assertThat(book.latencies("c")).as("measured anew").isEmpty();
    }

    @Test
    void measuresABoundedNumber() {
        for (int c = 0; c < 5; c++) {
            List<PeerAddress> peers = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                peers.add(new PeerAddress("w" + c + "-" + i, "h:1"));
            }
            book.wanted("c" + c, peers);
        }
        assertThat(book.all()).hasSize(PeerBook.MAX_PEERS);
    }

    private void trip(PeerAddress peer, long micros) {
        book.measured(peer, OptionalLong.of(micros * 1_000));
    }
}
