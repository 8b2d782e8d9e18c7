package coop.sahkar.worker.engine;

import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Frames;
import coop.sahkar.worker.engine.StageMessage.Token;
import coop.sahkar.worker.engine.StageMessage.Tokens;
import coop.sahkar.worker.head.HeadGeneration;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Has a lone session's next token begun before it has come: what a stage does for a token is in
 * good part the same whatever the token, and need not wait for it. Confined to the engine's thread.
 *
 * <p>In the midst of that no sequence may change. So only the one message that is waited for is
 * taken out of the mailbox then, and only if all it does is to bring that row; anything else ends
 * the waiting, and is taken as usual.
 */
final class Foresight {
    private final StageCore core;
    private final Stage stage;
    private final Rows rows;
    private final Mailbox mailbox;

    /** What the row that came is a batch of. */
    private List<Slice> slices = List.of();

    /** Its last token has come while the next was waited for. */
    private @Nullable StageSession ended;

    /**
     * @param rows where the core puts the rows of a batch
     */
    Foresight(StageCore core, Stage stage, Rows rows, Mailbox mailbox) {
        this.core = core;
        this.stage = stage;
        this.rows = rows;
        this.mailbox = mailbox;
    }

    /**
     * Begins the next token of the only session, and waits for it in the midst of that.
     *
     * @param mail waits for messages; false if none came. Not asked where nothing can be begun
     * @return whether the token came and was computed
     */
    boolean begin(BooleanSupplier mail) {
        List<StageSession> all = core.sessions();
        if (!stage.anticipates() || all.size() != 1 || !foreseeable(all.getFirst())) {
            return false;
        }
        StageSession session = all.getFirst();
        try {
            return stage.anticipate(
                    session.kv().sequence(),
                    row -> mail.getAsBoolean() && take(session, row),
                    nanos -> core.work().made(slices, nanos));
        } catch (StageException e) {
            core.work().refused(slices, e);
            return true;
        } finally {
            slices = List.of();
            endIfOver();
        }
    }

    private void endIfOver() {
        StageSession over = ended;
        ended = null;
        if (over != null) {
            core.feed(over, over.activeNanos());
        }
    }

    /** A stage that is head and tail has nothing to wait for. */
    private static boolean foreseeable(StageSession session) {
        return (session.upstream() != null || session.downstream() != null)
                && session.waitingRows() == 0
                && !session.kv().isParked()
                && session.gift() == null
                && session.arrival() == null
                && session.held() < session.ticket().maxPositions()
                && !session.wantsEmbedding();
    }

    /** Takes the message that waits, if it is the session's next row and no more. */
    private boolean take(StageSession session, Rows row) {
        if (!(mailbox.only() instanceof Inbound.FromPeer(StageMessage message, long arrived))
                || !message.alone()) {
            return false;
        }
        return switch (message) {
            case Frames(List<Frame> frames) when fits(session, frames.getFirst()) -> {
                core.accept(taken(message), arrived);
                yield picked(session, row);
            }
            case Tokens(List<Token> tokens) when fits(session, tokens.getFirst()) -> {
                var _ = taken(message);
                yield hears(session, tokens.getFirst(), arrived) && picked(session, row);
            }
            default -> false;
        };
    }

    private StageMessage taken(StageMessage message) {
        var _ = mailbox.takeFirst();
        return message;
    }

    private boolean fits(StageSession session, Frame frame) {
        return session.upstream() != null
                && isOf(session, frame.session(), frame.epoch())
                && frame.firstPosition() == session.end()
                && frame.wantToken()
                && HiddenStates.fault(frame, stage.shape(), session.ticket().maxPositions())
                        == null;
    }

    private static boolean fits(StageSession session, Token token) {
        HeadGeneration generation = session.generation();
        return generation != null
                && isOf(session, token.session(), token.epoch())
                && generation.awaits(token);
    }

    private static boolean isOf(StageSession session, SessionId id, int epoch) {
        return session.id().equals(id) && session.epoch() == epoch;
    }

    /** Gives the head's generation its token; false if that was its last: it ends later. */
    private boolean hears(StageSession session, Token token, long arrivedNanos) {
        core.hear(session, token);
        HeadGeneration generation = session.generation();
        if (generation == null || generation.over()) {
            ended = session;
            return false;
        }
        core.feed(session, arrivedNanos);
        return true;
    }

    private boolean picked(StageSession session, Rows row) {
        if (session.waitingRows() != 1 || row.position[0] != session.held()) {
            return false; // it is computed as usual
        }
        slices = core.work().pick();
        row.token[0] = rows.token[0];
        MemorySegment.copy(rows.hidden, 0, row.hidden, 0, row.hidden.byteSize());
        return true;
    }
}
