package coop.sahkar.worker.ring;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.StageMessage.Close;
import org.junit.jupiter.api.Test;

class OwedClosesTest {
    private final OwedCloses owed = new OwedCloses();

    private static Close close(int session) {
        return new Close(new SessionId(1, session), 1);
    }

    @Test
    void whatWasSaidIsDueOnEveryLinkUntilThePeerHasEndedItByItself() {
        owed.said(close(1), 0);
        owed.said(close(2), 5);
        assertThat(owed.due(10)).containsExactly(close(1), close(2));
        assertThat(owed.due(RingOptions.OWED_CLOSE_NANOS)).containsExactly(close(2));
        assertThat(owed.due(RingOptions.OWED_CLOSE_NANOS + 5)).isEmpty();
    }

    @Test
    void theOldestAreForgottenFirst() {
        for (int i = 0; i <= RingOptions.MAX_OWED_CLOSES; i++) {
            owed.said(close(i), i);
        }
        assertThat(owed.due(1_000)).hasSize(RingOptions.MAX_OWED_CLOSES).startsWith(close(1));
    }
}
