package coop.sahkar.deploy.simulate;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.StageMessage.Close;
import coop.sahkar.worker.engine.StageMessage.Failed;
import coop.sahkar.worker.engine.StageMessage.Frame;
import coop.sahkar.worker.engine.StageMessage.Frames;
import coop.sahkar.worker.engine.StageMessage.KvPart;
import coop.sahkar.worker.engine.StageMessage.KvWanted;
import coop.sahkar.worker.engine.StageMessage.Leaving;
import coop.sahkar.worker.engine.StageMessage.NeedFrom;
import coop.sahkar.worker.engine.StageMessage.Open;
import coop.sahkar.worker.engine.StageMessage.Probe;
import coop.sahkar.worker.engine.StageMessage.ProbeAnswer;
import coop.sahkar.worker.engine.StageMessage.Progress;
import coop.sahkar.worker.engine.StageMessage.Token;
import coop.sahkar.worker.engine.StageMessage.Tokens;
import coop.sahkar.worker.store.ShardKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A worker's end of the ring: which of its stages a session's messages go to. The rules are those
 * of the worker's {@code SessionDirectory}, without signatures and without liars.
 */
final class RingEnd {
    private final VirtualWorker worker;
    private final VirtualRing ring;
    private final Map<SessionId, Place> places = new LinkedHashMap<>();

    private record Place(int epoch, VirtualStage stage) {}

    RingEnd(VirtualWorker worker, VirtualRing ring) {
        this.worker = worker;
        this.ring = ring;
    }

    /** Sends what a stage here has to say. */
    void send(RouteStage to, StageMessage message) {
        if (message instanceof Close close) {
            forget(close.session(), close.epoch());
        }
        ring.send(worker, to.workerId(), message);
    }

    /** The session is over here, unless a later epoch has begun. */
    void forget(SessionId session, int epoch) {
        places.computeIfPresent(session, (_, place) -> place.epoch > epoch ? place : null);
    }

    /** A stage is gone, and its sessions with it. */
    void removed(VirtualStage stage) {
        places.values().removeIf(place -> place.stage == stage);
    }

    /** Everything is gone. */
    void clear() {
        places.clear();
    }

    /** A link with another worker broke. */
    void peerLost(String workerId, String why) {
        worker.stages().forEach(stage -> stage.peerLost(workerId, why));
    }

    /** Enters a session whose route begins here; what is wrong with that otherwise. */
    Optional<Problem> admitHead(Ticket ticket) {
        return enter(ticket, 0);
    }

    /** The stage that a session's head is here in this epoch. */
    @Nullable VirtualStage find(SessionId session, int epoch) {
        Place place = places.get(session);
        return place == null || place.epoch != epoch ? null : place.stage;
    }

    private Optional<Problem> enter(Ticket ticket, int index) {
        VirtualStage stage = stage(ticket, index);
        if (stage == null) {
            return Optional.of(notHere());
        }
        Place known = places.get(ticket.session());
        if (known != null && known.epoch >= ticket.epoch()) {
            return index > 0 && known.epoch == ticket.epoch()
                    ? Optional.empty()
                    : Optional.of(
                            Problem.of(
                                    Problem.Kind.UNAUTHORIZED,
                                    "The session runs in epoch " + known.epoch + " already."));
        }
        places.put(ticket.session(), new Place(ticket.epoch(), stage));
        if (known != null && known.stage != stage) {
            var _ = known.stage.offer(new Close(ticket.session(), known.epoch));
        }
        return Optional.empty();
    }

    private @Nullable VirtualStage stage(Ticket ticket, int index) {
        RouteStage place = ticket.stages().get(index);
        return place.workerId().equals(worker.id)
                ? worker.stage(new ShardKey(ticket.modelId(), place.span()))
                : null;
    }

    private Problem notHere() {
        return Problem.of(
                Problem.Kind.MODEL_INCOMPLETE,
                "Worker %s does not serve these blocks now; ask for a new route."
                        .formatted(worker.id));
    }

    /**
     * Takes a message from another worker.
     *
     * @return what of it no stage had room for; null when all is taken
     */
    @Nullable StageMessage take(VirtualWorker from, StageMessage message) {
        return switch (message) {
            case Open open -> open(open);
            case Probe probe -> probe(probe);
            case Frames(List<Frame> frames) -> {
                List<Frame> left =
                        spread(frames, frame -> find(frame.session(), frame.epoch()), Frames::new);
                yield left.isEmpty() ? null : new Frames(left);
            }
            case Tokens(List<Token> tokens) -> {
                List<Token> left =
                        spread(tokens, token -> find(token.session(), token.epoch()), Tokens::new);
                yield left.isEmpty() ? null : new Tokens(left);
            }
            case Progress m -> pass(m, m.session(), m.epoch());
            case NeedFrom m -> pass(m, m.session(), m.epoch());
            case Failed m -> pass(m, m.session(), m.epoch());
            case Leaving m -> pass(m, m.session(), m.epoch());
            case ProbeAnswer m -> pass(m, m.session(), m.epoch());
            case KvPart m -> pass(m, m.session(), m.epoch());
            case KvWanted wanted -> kvWanted(wanted);
            case Close m -> {
                StageMessage left = pass(m, m.session(), m.epoch());
                if (left == null) {
                    forget(m.session(), m.epoch());
                }
                yield left;
            }
        };
    }

    private @Nullable StageMessage pass(StageMessage message, SessionId session, int epoch) {
        VirtualStage stage = find(session, epoch);
        return stage == null || stage.offer(message) ? null : message;
    }

    private @Nullable StageMessage open(Open open) {
        Ticket ticket = open.ticket().ticket();
        Optional<Problem> denied = enter(ticket, open.stage());
        if (denied.isPresent()) {
            refuse(ticket, denied.get());
            return null;
        }
        return pass(open, ticket.session(), ticket.epoch());
    }

    private @Nullable StageMessage probe(Probe probe) {
        Ticket ticket = probe.ticket().ticket();
        VirtualStage stage = stage(ticket, probe.stage());
        if (stage == null) {
            refuse(ticket, notHere());
            return null;
        }
        return stage.offer(probe) ? null : probe;
    }

    private @Nullable StageMessage kvWanted(KvWanted wanted) {
        Ticket ticket = wanted.ticket().ticket();
        RouteStage heir = ticket.stages().get(wanted.stage());
        VirtualStage stage = worker.stage(new ShardKey(ticket.modelId(), heir.span()));
        if (stage == null) {
            send(heir, KvPart.none(ticket.session(), ticket.epoch(), worker.id));
            return null;
        }
        return stage.offer(wanted) ? null : wanted;
    }

    private void refuse(Ticket ticket, Problem problem) {
        send(ticket.head(), new Failed(ticket.session(), ticket.epoch(), problem, worker.id));
    }

    /** Gives each stage its part; what nobody has room for is left. */
    private static <T> List<T> spread(
            List<T> all,
            Function<T, @Nullable VirtualStage> receiver,
            Function<List<T>, StageMessage> message) {
        Map<VirtualStage, List<T>> parts = new LinkedHashMap<>();
        for (T one : all) {
            VirtualStage stage = receiver.apply(one);
            if (stage != null) {
                parts.computeIfAbsent(stage, _ -> new ArrayList<>()).add(one);
            }
        }
        List<T> left = new ArrayList<>();
        parts.forEach((stage, part) -> {
            if (!stage.offer(message.apply(part))) {
                left.addAll(part);
            }
        });
        return left;
    }
}
