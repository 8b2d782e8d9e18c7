package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.Mailbox.Offer;
import coop.sahkar.worker.engine.StageMessage.Close;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Frames;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class MailboxTest {
    private static final SessionId SESSION = new SessionId(0, 1);
    private final Mailbox mailbox = new Mailbox(3, 10);

    private static Inbound rows(int rows) {
        Frame frame =
                new Frame(
                        SESSION,
                        1,
                        0,
                        new int[rows],
                        true,
                        HiddenCodec.F32,
                        ByteBuffer.allocate(0));
        return new Inbound.FromPeer(new Frames(List.of(frame)), 0);
    }

    private static Inbound close() {
        return new Inbound.FromPeer(new Close(SESSION, 1), 0);
    }

    @Test
    void rowsBeyondTheBoundAreRefusedUntilTheyAreComputed() throws InterruptedException {
        assertThat(mailbox.offer(rows(7))).isEqualTo(Offer.TAKEN);
        assertThat(mailbox.offer(rows(4))).isEqualTo(Offer.FULL);
        assertThat(mailbox.offer(rows(3))).isEqualTo(Offer.TAKEN);
        assertThat(mailbox.take(0, 0)).hasSize(2);
        assertThat(mailbox.queuedRows()).isEqualTo(10);
        assertThat(mailbox.offer(rows(1))).isEqualTo(Offer.FULL);
        assertThat(mailbox.take(6, 0)).isEmpty();
        assertThat(mailbox.offer(rows(4))).isEqualTo(Offer.TAKEN);
    }

    @Test
    void aMessageLargerThanTheBoundGoesIntoAnEmptyMailbox() {
        assertThat(mailbox.offer(rows(11))).isEqualTo(Offer.TAKEN);
        assertThat(mailbox.offer(rows(1))).isEqualTo(Offer.FULL);
    }

    @Test
    void messagesBeyondTheBoundAreRefusedButNotWhatFreesSomething() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            assertThat(mailbox.offer(close())).isEqualTo(Offer.TAKEN);
        }
        assertThat(mailbox.offer(close())).isEqualTo(Offer.FULL);
        mailbox.put(new Inbound.Cancel(SESSION, 1));
        assertThat(mailbox.take(0, 0)).hasSize(4).last().isEqualTo(new Inbound.Cancel(SESSION, 1));
    }

    @Test
    void whatStillWaitsAtTheEndIsHandedOut() {
        mailbox.put(new Inbound.Cancel(SESSION, 1));
        assertThat(mailbox.close()).hasSize(1);
        assertThat(mailbox.offer(close())).isEqualTo(Offer.CLOSED);
        mailbox.put(new Inbound.Cancel(SESSION, 1));
        assertThat(mailbox.close()).isEmpty();
    }
}
