package coop.sahkar.worker.engine;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Progress;
import coop.sahkar.worker.engine.StageMessage.Token;
import coop.sahkar.worker.engine.StageMessage.Tokens;
import java.util.ArrayList;
import java.util.List;

/**
 * Passes on what a batch made: hidden states to the next stages, and from the tail tokens and
 * acknowledgements to the heads.
 */
final class Delivery {
    private final Stage stage;
    private final int width;
    private final Outbox outbox;

    Delivery(Stage stage, Outbox outbox) {
        this.stage = stage;
        this.width = stage.shape().width();
        this.outbox = outbox;
    }

    /**
     * Sends everything.
     *
     * @return what is for this very stage, because it is head and tail at once
     */
    List<StageMessage> send(List<Slice> slices) {
        List<StageMessage> own = new ArrayList<>();
        for (Slice slice : slices) {
            RouteStage next = slice.session().downstream();
            BoundaryLog log = slice.session().log();
            if (next != null && log != null) {
                Frame frame = slice.frame(stage.hiddenStates(), width);
                log.append(frame);
                outbox.add(next, frame);
            } else {
                sendToHead(slice, own);
            }
        }
        outbox.flush();
        return own;
    }

    private void sendToHead(Slice slice, List<StageMessage> own) {
        StageSession session = slice.session();
        RouteStage head = session.ticket().head();
        int end = slice.endPosition();
        if (slice.wantToken()) {
            int chosen = session.sample(slice.row() + slice.count() - 1);
            Token token = new Token(session.id(), session.epoch(), end, chosen);
            if (session.index() == 0) {
                own.add(new Tokens(List.of(token)));
            } else {
                outbox.add(head, token);
            }
        } else {
            Progress progress = new Progress(session.id(), session.epoch(), end);
            if (session.index() == 0) {
                own.add(progress);
            } else {
                outbox.send(head, progress);
            }
        }
    }
}
