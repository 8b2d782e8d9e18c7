package coop.sahkar.worker.engine;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Frames;
import coop.sahkar.worker.engine.StageMessage.Token;
import coop.sahkar.worker.engine.StageMessage.Tokens;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Gathers what one batch made for each peer, so that it goes as one message and is one batch there.
 */
final class Outbox {
    private final Links links;
    private final Map<RouteStage, List<Frame>> frames = new LinkedHashMap<>();
    private final Map<RouteStage, List<Token>> tokens = new LinkedHashMap<>();

    Outbox(Links links) {
        this.links = links;
    }

    /** A frame in F32 as it is to travel, so that it is kept in the bits that the peer sees. */
    Frame travelling(RouteStage to, Frame frame) {
        HiddenCodec codec = links.codec(to);
        if (codec == frame.codec()) {
            return frame;
        }
        return new Frame(
                frame.session(),
                frame.epoch(),
                frame.firstPosition(),
                frame.tokens(),
                frame.wantToken(),
                codec,
                coop.sahkar.proto.HiddenStates.encode(frame.hidden(), codec),
                frame.computedMicros());
    }

    /** Whether messages to a peer wait because the network takes no more. */
    boolean backedUp(RouteStage to) {
        return links.backedUp(to);
    }

    void add(RouteStage to, Frame frame) {
        frames.computeIfAbsent(to, _ -> new ArrayList<>()).add(frame);
    }

    void add(RouteStage head, Token token) {
        tokens.computeIfAbsent(head, _ -> new ArrayList<>()).add(token);
    }

    /** Sends a message by itself, behind nothing. */
    void send(RouteStage to, StageMessage message) {
        links.send(to, message);
    }

    /** Sends all that was added, in as few messages as their bound allows. */
    void flush() {
        tokens.forEach((head, chosen) -> links.send(head, new Tokens(chosen)));
        tokens.clear();
        frames.forEach(this::sendFrames);
        frames.clear();
    }

    private void sendFrames(RouteStage to, List<Frame> all) {
        int from = 0;
        long bytes = 0;
        for (int i = 0; i < all.size(); i++) {
            int more = all.get(i).hidden().remaining();
            if (bytes + more > Limits.MAX_FRAME_BYTES && i > from) {
                links.send(to, new Frames(all.subList(from, i)));
                from = i;
                bytes = 0;
            }
            bytes += more;
        }
        links.send(to, new Frames(all.subList(from, all.size())));
    }
}
