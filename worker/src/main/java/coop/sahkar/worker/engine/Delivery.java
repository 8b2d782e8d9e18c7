package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Progress;
import coop.sahkar.worker.engine.StageMessage.Token;
import coop.sahkar.worker.engine.StageMessage.Tokens;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

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
     * @param ownNanos how long the batch was computed
     * @param failed takes the slices whose token could not be chosen, and why
     * @return what is for this very stage, because it is head and tail at once
     */
    List<StageMessage> send(
            List<Slice> slices, long ownNanos, BiConsumer<Slice, RuntimeException> failed) {
        int ownMicros = (int) Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMicros(ownNanos));
        List<StageMessage> own = new ArrayList<>();
        for (Slice slice : slices) {
            RouteStage next = slice.session().downstream();
            BoundaryLog log = slice.session().log();
            if (next != null && log != null) {
                Frame frame =
                        outbox.travelling(
                                next, slice.frame(stage.hiddenStates(), width, ownMicros));
                log.append(frame);
                Frame wanted = slice.session().toSend(frame);
                if (wanted != null) {
                    outbox.add(next, wanted);
                }
            } else {
                try {
                    sendToHead(slice, ownMicros, own);
                } catch (IllegalStateException | IllegalArgumentException e) {
                    // Logits or sampling of this one session; the others have nothing to do with
                    // it.
                    failed.accept(slice, e);
                }
            }
        }
        outbox.flush();
        return own;
    }

    private void sendToHead(Slice slice, int ownMicros, List<StageMessage> own) {
        StageSession session = slice.session();
        RouteStage head = session.ticket().head();
        int end = slice.endPosition();
        if (slice.wantToken()) {
            int row = slice.row() + slice.count() - 1;
            int chosen = session.sample(row);
            Token token =
                    new Token(
                            session.id(),
                            session.epoch(),
                            end,
                            chosen,
                            session.chances(row, chosen),
                            session.wantsEmbedding() ? embedding(row) : List.of(),
                            slice.computedMicros(ownMicros));
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

    private List<Float> embedding(int row) {
        float[] state = stage.normed(row).toArray(ValueLayout.JAVA_FLOAT);
        return IntStream.range(0, state.length).mapToObj(i -> state[i]).toList();
    }

    /** What is told when the library refuses to compute. */
    static Problem refusal(Slice slice, Exception why) {
        return Problem.of(
                Problem.Kind.INTERNAL,
                "Worker %s could not compute positions %d to %d: %s"
                        .formatted(
                                slice.session().self().workerId(),
                                slice.firstPosition(),
                                slice.endPosition(),
                                why.getMessage()));
    }
}
