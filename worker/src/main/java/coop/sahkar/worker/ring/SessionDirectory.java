package coop.sahkar.worker.ring;

import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.SignedTicket;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.StageInbox;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.StageShape;
import java.security.PublicKey;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Which of this worker's stages a session's messages go to. The shards are entered by whoever hosts
 * them; sessions by their tickets. Safe to use from any thread.
 */
public final class SessionDirectory {
    private final String workerId;
    private final int maxSessions;
    private final long idleMillis;
    private final Function<String, @Nullable PublicKey> keys;
    private final PoolClock clock;
    private final Map<ShardKey, Shard> shards = new ConcurrentHashMap<>();
    private final Map<SessionId, RingSession> sessions = new ConcurrentHashMap<>();

    private record ShardKey(String modelId, Span span) {}

    private record Shard(StageShape shape, StageInbox inbox) {}

    /** What asking for a session's place came to. */
    public sealed interface Admission {}

    /** The session is entered. */
    public record Admitted(SealedTicket ticket) implements Admission {}

    /** The ticket is genuine but cannot be honoured here; its head should be told. */
    public record Denied(SealedTicket ticket, Problem problem) implements Admission {}

    /** The ticket proves nothing. */
    public record Forged(Problem problem) implements Admission {}

    /** What became of a head's probe. */
    sealed interface Probed {}

    /** It is for this stage. */
    record ProbeFor(SealedTicket ticket, StageInbox inbox) implements Probed {}

    /** The stage is not served here any more; the head should be told. */
    record NotHere(SealedTicket ticket, Problem problem) implements Probed {}

    /** The sender may not probe here. */
    record Strange(Problem problem) implements Probed {}

    /**
     * @param keys public key of a key id, or null
     * @param clock tickets expire by it, and sessions of which nothing is heard
     */
    public SessionDirectory(
            RingOptions options, Function<String, @Nullable PublicKey> keys, PoolClock clock) {
        this.workerId = options.workerId();
        this.maxSessions = options.maxSessions();
        this.idleMillis = options.sessionIdleMillis();
        this.keys = keys;
        this.clock = clock;
    }

    /** From now on sessions of this model and span go to {@code inbox}. */
    public void register(String modelId, StageShape shape, StageInbox inbox) {
        shards.put(new ShardKey(modelId, shape.span()), new Shard(shape, inbox));
    }

    /** The shard is gone, and its sessions with it. */
    public void unregister(String modelId, Span span) {
        shards.remove(new ShardKey(modelId, span));
        sessions.values()
                .removeIf(s -> s.ticket.modelId().equals(modelId) && s.shape.span().equals(span));
    }

    /**
     * Checks a ticket whose route begins at this worker, and enters its session, in place of an
     * earlier epoch of it.
     */
    public Admission admitHead(SignedTicket wire) {
        return admit(wire, 0, workerId, null);
    }

    /** Checks a ticket whose route begins at this worker, and enters nothing. */
    public Admission namedHead(SignedTicket wire) {
        return switch (Tickets.open(wire, keys, clock.earliestUnixMillis())) {
            case Tickets.Refused refused -> new Forged(refused.problem());
            case Tickets.Expired(SealedTicket sealed, Problem problem) ->
                    new Denied(sealed, problem);
            case Tickets.Valid(SealedTicket sealed) ->
                    place(sealed.ticket(), 0, workerId)
                            .<Admission>map(Forged::new)
                            .orElseGet(() -> new Admitted(sealed));
        };
    }

    /**
     * Checks a ticket that another worker passed on, and enters its session.
     *
     * @param stage which stage of the route this worker is
     * @param sender who passed it on; must be the stage before
     */
    Admission admitBehind(SignedTicket wire, int stage, String sender, Sampling sampling) {
        if (stage < 1) {
            return new Forged(
                    Problem.of(
                            Problem.Kind.PROTOCOL,
                            "Only coordinators open sessions at stage 0; the stage was %s."
                                    .formatted(Integer.toUnsignedString(stage))));
        }
        return admit(wire, stage, sender, sampling);
    }

    /**
     * Finds the stage that a head asks after; the session need not be open here.
     *
     * @param sender must be the head of the ticket's route
     */
    Probed probed(SignedTicket wire, int stage, String sender) {
        return switch (Tickets.open(wire, keys, clock.earliestUnixMillis())) {
            case Tickets.Refused refused -> new Strange(refused.problem());
            case Tickets.Expired(SealedTicket sealed, Problem _) -> probed(sealed, stage, sender);
            case Tickets.Valid(SealedTicket sealed) -> probed(sealed, stage, sender);
        };
    }

    private Probed probed(SealedTicket sealed, int stage, String sender) {
        Ticket ticket = sealed.ticket();
        boolean ours =
                stage > 0
                        && stage < ticket.stages().size()
                        && ticket.stages().get(stage).workerId().equals(workerId)
                        && ticket.head().workerId().equals(sender);
        if (!ours) {
            return new Strange(
                    Problem.of(
                            Problem.Kind.UNAUTHORIZED,
                            "Worker %s probes a stage which by its ticket it may not."
                                    .formatted(sender)));
        }
        Span span = ticket.stages().get(stage).span();
        Shard shard = shards.get(new ShardKey(ticket.modelId(), span));
        return shard == null
                ? new NotHere(sealed, notHere(sealed, span))
                : new ProbeFor(sealed, shard.inbox());
    }

    /**
     * Finds the stage whose place a worker takes in another route and that it may ask for KV.
     *
     * @param sender must be that stage of the ticket's route
     */
    Probed wanted(SignedTicket wire, int stage, String sender) {
        SealedTicket sealed = genuine(wire);
        boolean theirs =
                sealed != null
                        && stage > 0
                        && stage < sealed.ticket().stages().size()
                        && sealed.ticket().stages().get(stage).workerId().equals(sender);
        if (sealed == null || !theirs) {
            return new Strange(
                    Problem.of(
                            Problem.Kind.UNAUTHORIZED,
                            "Worker %s asks for KV which by its ticket it may not have."
                                    .formatted(sender)));
        }
        Span span = sealed.ticket().stages().get(stage).span();
        Shard shard = shards.get(new ShardKey(sealed.ticket().modelId(), span));
        return shard == null
                ? new NotHere(sealed, notHere(sealed, span))
                : new ProbeFor(sealed, shard.inbox());
    }

    /** A ticket that a coordinator has signed, in time or not; null if none has. */
    @Nullable SealedTicket genuine(SignedTicket wire) {
        return switch (Tickets.open(wire, keys, clock.earliestUnixMillis())) {
            case Tickets.Refused _ -> null;
            case Tickets.Expired(SealedTicket sealed, Problem _) -> sealed;
            case Tickets.Valid(SealedTicket sealed) -> sealed;
        };
    }

    private Admission admit(
            SignedTicket wire, int stage, String sender, @Nullable Sampling sampling) {
        return switch (Tickets.open(wire, keys, clock.earliestUnixMillis())) {
            case Tickets.Refused refused -> new Forged(refused.problem());
            case Tickets.Expired(SealedTicket sealed, Problem problem) ->
                    place(sealed.ticket(), stage, sender)
                            .<Admission>map(Forged::new)
                            .orElseGet(() -> new Denied(sealed, problem));
            case Tickets.Valid(SealedTicket sealed) ->
                    place(sealed.ticket(), stage, sender)
                            .<Admission>map(Forged::new)
                            .orElseGet(() -> enter(sealed, stage, sampling));
        };
    }

    /** Why the ticket does not give this worker that stage, or the sender the one before. */
    private Optional<Problem> place(Ticket ticket, int stage, String sender) {
        if (stage >= ticket.stages().size()) {
            return Optional.of(
                    Problem.of(Problem.Kind.PROTOCOL, "The route has no stage " + stage + "."));
        }
        String named = ticket.stages().get(stage).workerId();
        if (!named.equals(workerId)) {
            return Optional.of(
                    Problem.of(
                            Problem.Kind.UNAUTHORIZED,
                            "The ticket names worker %s for stage %d; this is worker %s."
                                    .formatted(named, stage, workerId)));
        }
        if (stage > 0 && !ticket.stages().get(stage - 1).workerId().equals(sender)) {
            return Optional.of(
                    Problem.of(
                            Problem.Kind.UNAUTHORIZED,
                            "Worker %s opens a session which by its ticket only the stage before may."
                                    .formatted(sender)));
        }
        return Optional.empty();
    }

    private Admission enter(SealedTicket sealed, int stage, @Nullable Sampling sampling) {
        Ticket ticket = sealed.ticket();
        Span span = ticket.stages().get(stage).span();
        Shard shard = shards.get(new ShardKey(ticket.modelId(), span));
        if (shard == null || shard.shape().blockCount() != ticket.blockCount()) {
            return new Denied(sealed, notHere(sealed, span));
        }
        if (sampling != null) {
            Optional<Problem> wrong = SamplingAdapter.check(sampling, shard.shape().vocabulary());
            if (wrong.isPresent()) {
                return new Forged(wrong.get());
            }
        }
        if (sessions.size() >= maxSessions && !sessions.containsKey(ticket.session())) {
            return new Denied(sealed, full());
        }
        RingSession session =
                new RingSession(
                        sealed, stage, shard.shape(), shard.inbox(), clock.monotonicMillis());
        RingSession before = sessions.get(ticket.session());
        RingSession kept = sessions.merge(ticket.session(), session, SessionDirectory::newer);
        if (kept.equals(session) && before != null && !before.inbox.equals(session.inbox)) {
            leave(before);
        }
        boolean again = stage > 0 && kept.ticket.epoch() == ticket.epoch();
        return kept.equals(session) || again
                ? new Admitted(sealed)
                : new Denied(sealed, goneOn(kept.ticket.epoch()));
    }

    /** The newer route goes through another shard of this worker: the old one's KV is freed. */
    private static void leave(RingSession before) {
        Ticket old = before.ticket;
        // Where the mailbox is full the session is dropped when it has been idle.
        before.inbox.offer(new StageMessage.Close(old.session(), old.epoch()));
    }

    private static RingSession newer(RingSession known, RingSession opened) {
        return known.ticket.epoch() >= opened.ticket.epoch() ? known : opened;
    }

    private static Problem goneOn(int epoch) {
        return Problem.of(
                Problem.Kind.UNAUTHORIZED,
                "The session runs in epoch %d already; this ticket of it is void."
                        .formatted(epoch));
    }

    private Problem notHere(SealedTicket sealed, Span span) {
        return Problem.of(
                Problem.Kind.MODEL_INCOMPLETE,
                "Worker %s does not serve blocks %s of model %s now; ask for a new route."
                        .formatted(workerId, span, sealed.ticket().modelId()));
    }

    private Problem full() {
        return Problem.of(
                Problem.Kind.OVERLOADED,
                "Worker %s has %d sessions open and takes no more; try again later."
                        .formatted(workerId, maxSessions));
    }

    /** The session if it is open at this worker in exactly this epoch. */
    @Nullable RingSession find(SessionId id, int epoch) {
        RingSession session = sessions.get(id);
        if (session == null || session.ticket.epoch() != epoch) {
            return null;
        }
        session.lastUsedMillis = clock.monotonicMillis();
        return session;
    }

    /** The ticket of a session that a worker takes part in too, good for longest; null if none. */
    @Nullable SealedTicket ticketNaming(String peerId) {
        return sessions.values().stream()
                .map(session -> session.sealed)
                .filter(sealed ->
                        sealed.ticket().stages().stream()
                                .anyMatch(stage -> stage.workerId().equals(peerId)))
                .max(Comparator.comparingLong(sealed -> sealed.ticket().expiresAtMillis()))
                .orElse(null);
    }

    /** The session is over at this worker, unless a later epoch has begun. */
    public void forget(SessionId id, int epoch) {
        sessions.computeIfPresent(
                id, (_, session) -> session.ticket.epoch() > epoch ? session : null);
    }

    /** How many sessions are open. */
    public int sessionCount() {
        return sessions.size();
    }

    /** Closes sessions of which nothing was heard for too long, so that their KV is freed. */
    void sweep() {
        long oldest = clock.monotonicMillis() - idleMillis;
        sessions.values()
                .removeIf(session ->
                        session.lastUsedMillis < oldest
                                && session.inbox.offer(
                                        new StageMessage.Close(
                                                session.ticket.session(), session.ticket.epoch())));
    }

    /** Tells every stage here that a worker is gone. */
    void peerLost(String lostWorkerId, String reason) {
        for (Shard shard : shards.values()) {
            shard.inbox().peerLost(lostWorkerId, reason);
        }
    }
}
