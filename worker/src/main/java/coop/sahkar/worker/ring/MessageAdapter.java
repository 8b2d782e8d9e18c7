package coop.sahkar.worker.ring;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.HiddenStates;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.CloseSession;
import coop.sahkar.proto.v1.Frame;
import coop.sahkar.proto.v1.Frames;
import coop.sahkar.proto.v1.KvPart;
import coop.sahkar.proto.v1.KvWanted;
import coop.sahkar.proto.v1.NeedFrom;
import coop.sahkar.proto.v1.OpenSession;
import coop.sahkar.proto.v1.Probe;
import coop.sahkar.proto.v1.ProbeAnswer;
import coop.sahkar.proto.v1.Progress;
import coop.sahkar.proto.v1.RingMessage;
import coop.sahkar.proto.v1.SessionFailed;
import coop.sahkar.proto.v1.StageLeaving;
import coop.sahkar.proto.v1.Token;
import coop.sahkar.proto.v1.Tokens;
import coop.sahkar.worker.engine.Keep;
import coop.sahkar.worker.engine.Links;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.StageInbox;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.engine.TokenChance;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a peer sent: checks every number against the limits and against the ticket of the
 * session it is for, and says which stage gets it. What is for a session that is over, or of
 * another epoch, is dropped: that happens in good faith whenever a session ends.
 */
final class MessageAdapter {
    private final SessionDirectory directory;
    private final Links links;
    private final RingCounters counters;
    private final String workerId;

    MessageAdapter(
            String workerId, SessionDirectory directory, Links links, RingCounters counters) {
        this.workerId = workerId;
        this.directory = directory;
        this.links = links;
        this.counters = counters;
    }

    /**
     * @param sender the worker at the other end of the link
     * @param codec what the link has agreed on
     */
    List<Delivery> read(RingMessage wire, String sender, HiddenCodec codec) throws LinkViolation {
        return switch (wire.getMessageCase()) {
            case OPEN -> open(wire.getOpen(), sender);
            case FRAMES -> frames(wire.getFrames(), sender, codec);
            case TOKENS -> tokens(wire.getTokens(), sender);
            case PROGRESS -> progress(wire.getProgress(), sender);
            case NEED_FROM -> needFrom(wire.getNeedFrom(), sender);
            case CLOSE -> close(wire.getClose(), sender);
            case FAILED -> failed(wire.getFailed(), sender);
            case LEAVING -> leaving(wire.getLeaving(), sender);
            case PROBE -> probe(wire.getProbe(), sender);
            case KV_WANTED -> kvWanted(wire.getKvWanted(), sender);
            case KV_PART -> kvPart(wire.getKvPart(), sender);
            case PROBE_ANSWER -> probeAnswer(wire.getProbeAnswer(), sender);
            case HELLO -> throw new LinkViolation("Worker " + sender + " said hello twice.");
            case MESSAGE_NOT_SET ->
                    throw new LinkViolation("Worker " + sender + " sent what cannot be read here.");
        };
    }

    private List<Delivery> open(OpenSession wire, String sender) throws LinkViolation {
        Sampling sampling = SamplingAdapter.fromWire(wire.getSampling());
        int stage = wire.getStage();
        return switch (directory.admitBehind(wire.getTicket(), stage, sender, sampling)) {
            case SessionDirectory.Forged(Problem problem) -> throw new LinkViolation(problem);
            case SessionDirectory.Denied(SealedTicket sealed, Problem problem) -> {
                counters.refusedSessions.increment();
                tellHead(sealed.ticket(), problem);
                yield List.of();
            }
            case SessionDirectory.Admitted(SealedTicket sealed) -> {
                Ticket ticket = sealed.ticket();
                RingSession session = find(ticket.session(), ticket.epoch());
                yield session == null
                        ? List.of()
                        : one(
                                session,
                                new StageMessage.Open(
                                        sealed,
                                        stage,
                                        sampling,
                                        keep(wire, sealed.ticket()),
                                        wire.hasBefore()
                                                ? directory.genuine(wire.getBefore())
                                                : null));
            }
        };
    }

    private static Keep keep(OpenSession wire, Ticket ticket) {
        return new Keep(
                Math.max(1, wire.getTurn()),
                positions(wire.getKeep(), ticket),
                Math.max(0, wire.getPriorTurn()),
                positions(wire.getPriorKeep(), ticket));
    }

    private static int positions(int unsigned, Ticket ticket) {
        return Math.clamp(Integer.toUnsignedLong(unsigned), 0, ticket.maxPositions());
    }

    private List<Delivery> probe(Probe wire, String sender) throws LinkViolation {
        return switch (directory.probed(wire.getTicket(), wire.getStage(), sender)) {
            case SessionDirectory.Strange(Problem problem) -> throw new LinkViolation(problem);
            case SessionDirectory.NotHere(SealedTicket sealed, Problem problem) -> {
                tellHead(sealed.ticket(), problem);
                yield List.of();
            }
            case SessionDirectory.ProbeFor(SealedTicket sealed, StageInbox inbox) ->
                    List.of(
                            new Delivery(
                                    inbox,
                                    new StageMessage.Probe(
                                            sealed, wire.getStage(), wire.getRound())));
        };
    }

    private List<Delivery> kvWanted(KvWanted wire, String sender) throws LinkViolation {
        if (wire.getFormat().length() > Limits.MAX_KV_FORMAT || wire.getPositions() < 0) {
            throw new LinkViolation(
                    "Worker %s asks for KV in a way not known here.".formatted(sender));
        }
        return switch (directory.wanted(wire.getTicket(), wire.getStage(), sender)) {
            case SessionDirectory.Strange(Problem problem) -> throw new LinkViolation(problem);
            case SessionDirectory.NotHere(SealedTicket sealed, Problem _) -> {
                Ticket ticket = sealed.ticket();
                links.send(
                        ticket.stages().get(wire.getStage()),
                        StageMessage.KvPart.none(ticket.session(), ticket.epoch(), workerId));
                yield List.of();
            }
            case SessionDirectory.ProbeFor(SealedTicket sealed, StageInbox inbox) ->
                    List.of(
                            new Delivery(
                                    inbox,
                                    new StageMessage.KvWanted(
                                            workerId,
                                            sealed,
                                            wire.getStage(),
                                            wire.getTurn(),
                                            wire.getPositions(),
                                            wire.getFormat(),
                                            wire.getOffset())));
        };
    }

    private List<Delivery> kvPart(KvPart wire, String sender) throws LinkViolation {
        RingSession session = find(wire.getSessionHigh(), wire.getSessionLow(), wire.getEpoch());
        if (session == null) {
            return List.of();
        }
        boolean fits =
                wire.getBytes() >= 0
                        && wire.getBytes() <= Limits.MAX_KV_BYTES
                        && wire.getPart().size() <= Limits.MAX_KV_PART_BYTES
                        && wire.getTokensCount() <= wire.getPositions();
        if (!fits) {
            throw new LinkViolation("Worker %s sent KV that nobody takes.".formatted(sender));
        }
        requirePosition(0, wire.getPositions(), session, sender);
        int[] tokens = new int[wire.getTokensCount()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = token(wire.getTokens(i), session, sender);
        }
        return one(
                session,
                new StageMessage.KvPart(
                        session.ticket.session(),
                        wire.getEpoch(),
                        sender,
                        wire.getPositions(),
                        wire.getBytes(),
                        wire.getOffset(),
                        tokens,
                        wire.getPart().asReadOnlyByteBuffer()));
    }

    private List<Delivery> probeAnswer(ProbeAnswer wire, String sender) throws LinkViolation {
        RingSession session = find(wire.getSessionHigh(), wire.getSessionLow(), wire.getEpoch());
        if (session == null) {
            return List.of();
        }
        session.requireStage(wire.getStage(), sender, "an answer to a probe");
        requirePosition(wire.getHeld(), 0, session, sender);
        requirePosition(wire.getQueued(), 0, session, sender);
        requirePosition(wire.getSent(), 0, session, sender);
        return one(
                session,
                new StageMessage.ProbeAnswer(
                        session.ticket.session(),
                        wire.getEpoch(),
                        wire.getStage(),
                        wire.getRound(),
                        wire.getOpen(),
                        wire.getHeld(),
                        wire.getQueued(),
                        wire.getFlowing(),
                        wire.getSent(),
                        Math.max(0, wire.getBatchMicros()),
                        Math.max(0, wire.getUsualMicros())));
    }

    private void tellHead(Ticket ticket, Problem problem) {
        links.send(
                ticket.head(),
                new StageMessage.Failed(ticket.session(), ticket.epoch(), problem, workerId));
    }

    private List<Delivery> frames(Frames wire, String sender, HiddenCodec codec)
            throws LinkViolation {
        requireBatch(wire.getFramesCount(), sender);
        List<Delivery> result = new ArrayList<>(1);
        List<StageMessage.Frame> batch = new ArrayList<>(wire.getFramesCount());
        RingSession last = null;
        for (Frame frame : wire.getFramesList()) {
            RingSession session =
                    find(frame.getSessionHigh(), frame.getSessionLow(), frame.getEpoch());
            if (session == null) {
                continue;
            }
            session.requirePrevious(sender, "frames");
            if (last != null && !last.inbox.equals(session.inbox)) {
                result.add(new Delivery(last.inbox, new StageMessage.Frames(batch)));
                batch.clear();
            }
            batch.add(frame(frame, session, sender, codec));
            last = session;
        }
        if (last != null) {
            result.add(new Delivery(last.inbox, new StageMessage.Frames(batch)));
        }
        return result;
    }

    private static StageMessage.Frame frame(
            Frame wire, RingSession session, String sender, HiddenCodec codec)
            throws LinkViolation {
        int count = wire.getTokensCount();
        int expected;
        try {
            expected = HiddenStates.bytes(codec, count, session.shape.width());
        } catch (IllegalArgumentException e) {
            throw new LinkViolation("Worker " + sender + " sent a bad frame: " + e.getMessage());
        }
        if (Wire.fromWire(wire.getCodec()).orElse(null) != codec) {
            throw new LinkViolation(
                    "Worker %s sent a frame in codec %s on a link that agreed on %s."
                            .formatted(sender, wire.getCodec(), codec));
        }
        if (wire.getHidden().size() != expected) {
            throw new LinkViolation(
                    "Worker %s sent a frame of %d bytes for %d positions of width %d; %d are right."
                            .formatted(
                                    sender,
                                    wire.getHidden().size(),
                                    count,
                                    session.shape.width(),
                                    expected));
        }
        requirePosition(wire.getFirstPosition(), count, session, sender);
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = token(wire.getTokens(i), session, sender);
        }
        return new StageMessage.Frame(
                session.ticket.session(),
                session.ticket.epoch(),
                wire.getFirstPosition(),
                tokens,
                wire.getWantToken(),
                codec,
                wire.getHidden().asReadOnlyByteBuffer(),
                Math.max(0, wire.getComputedMicros()));
    }

    private List<Delivery> tokens(Tokens wire, String sender) throws LinkViolation {
        requireBatch(wire.getTokensCount(), sender);
        List<Delivery> result = new ArrayList<>(1);
        List<StageMessage.Token> batch = new ArrayList<>(wire.getTokensCount());
        RingSession last = null;
        for (Token token : wire.getTokensList()) {
            RingSession session =
                    find(token.getSessionHigh(), token.getSessionLow(), token.getEpoch());
            if (session == null) {
                continue;
            }
            session.requireTail(sender, "tokens");
            requirePosition(token.getPosition(), 1, session, sender);
            if (last != null && !last.inbox.equals(session.inbox)) {
                result.add(new Delivery(last.inbox, new StageMessage.Tokens(batch)));
                batch.clear();
            }
            batch.add(
                    new StageMessage.Token(
                            session.ticket.session(),
                            session.ticket.epoch(),
                            token.getPosition(),
                            token(token.getToken(), session, sender),
                            chances(token, session, sender),
                            embedding(token, sender),
                            Math.max(0, token.getComputedMicros())));
            last = session;
        }
        if (last != null) {
            result.add(new Delivery(last.inbox, new StageMessage.Tokens(batch)));
        }
        return result;
    }

    private static List<TokenChance> chances(Token token, RingSession session, String sender)
            throws LinkViolation {
        if (token.getChancesCount() > Limits.MAX_TOP_CHANCES + 1) {
            throw new LinkViolation(
                    "Worker %s sent %d chances with a token; at most %d are allowed."
                            .formatted(
                                    sender, token.getChancesCount(), Limits.MAX_TOP_CHANCES + 1));
        }
        List<TokenChance> chances = new ArrayList<>(token.getChancesCount());
        for (var chance : token.getChancesList()) {
            if (!(chance.getLogProbability() <= 0)
                    || Float.isInfinite(chance.getLogProbability())) {
                throw new LinkViolation(
                        "Worker %s sent a token's chance that is none.".formatted(sender));
            }
            chances.add(
                    new TokenChance(
                            token(chance.getToken(), session, sender), chance.getLogProbability()));
        }
        return chances;
    }

    private static List<Float> embedding(Token token, String sender) throws LinkViolation {
        if (token.getEmbeddingCount() > Limits.MAX_WIDTH
                || !token.getEmbeddingList().stream().allMatch(Float::isFinite)) {
            throw new LinkViolation("Worker %s sent an embedding that is none.".formatted(sender));
        }
        return token.getEmbeddingList();
    }

    private List<Delivery> progress(Progress wire, String sender) throws LinkViolation {
        RingSession session = find(wire.getSessionHigh(), wire.getSessionLow(), wire.getEpoch());
        if (session == null) {
            return List.of();
        }
        session.requireTail(sender, "progress");
        requirePosition(wire.getPosition(), 0, session, sender);
        return one(
                session,
                new StageMessage.Progress(
                        session.ticket.session(), wire.getEpoch(), wire.getPosition()));
    }

    private List<Delivery> needFrom(NeedFrom wire, String sender) throws LinkViolation {
        RingSession session = find(wire.getSessionHigh(), wire.getSessionLow(), wire.getEpoch());
        if (session == null) {
            return List.of();
        }
        session.requireNext(sender, "a request for positions");
        requirePosition(wire.getPosition(), 0, session, sender);
        return one(
                session,
                new StageMessage.NeedFrom(
                        session.ticket.session(), wire.getEpoch(), wire.getPosition()));
    }

    private List<Delivery> close(CloseSession wire, String sender) throws LinkViolation {
        RingSession session = find(wire.getSessionHigh(), wire.getSessionLow(), wire.getEpoch());
        if (session == null) {
            return List.of();
        }
        session.requirePreviousOrHead(sender, "the end");
        directory.forget(session.ticket.session(), wire.getEpoch());
        int restMillis =
                (int) Math.min(Integer.MAX_VALUE, Integer.toUnsignedLong(wire.getRestMillis()));
        return one(
                session,
                new StageMessage.Close(
                        session.ticket.session(), wire.getEpoch(), restMillis, wire.getHereOnly()));
    }

    private List<Delivery> failed(SessionFailed wire, String sender) throws LinkViolation {
        RingSession session = find(wire.getSessionHigh(), wire.getSessionLow(), wire.getEpoch());
        if (session == null) {
            return List.of();
        }
        session.requireOnRoute(sender, "a failure");
        if (wire.getWorkerId().length() > Limits.MAX_WORKER_ID) {
            throw new LinkViolation("Worker " + sender + " blames an overlong worker id.");
        }
        return one(
                session,
                new StageMessage.Failed(
                        session.ticket.session(),
                        wire.getEpoch(),
                        Wire.fromWire(wire.getProblem()),
                        wire.getWorkerId()));
    }

    private List<Delivery> leaving(StageLeaving wire, String sender) throws LinkViolation {
        RingSession session = find(wire.getSessionHigh(), wire.getSessionLow(), wire.getEpoch());
        if (session == null) {
            return List.of();
        }
        session.requireOnRoute(sender, "a farewell");
        return one(
                session,
                new StageMessage.Leaving(session.ticket.session(), wire.getEpoch(), sender));
    }

    private @Nullable RingSession find(long high, long low, int epoch) {
        return find(new SessionId(high, low), epoch);
    }

    private @Nullable RingSession find(SessionId id, int epoch) {
        RingSession session = directory.find(id, epoch);
        if (session == null) {
            counters.dropped.increment();
        }
        return session;
    }

    private static List<Delivery> one(RingSession session, StageMessage message) {
        return List.of(new Delivery(session.inbox, message));
    }

    private static void requireBatch(int count, String sender) throws LinkViolation {
        if (count < 1 || count > RingOptions.MAX_BATCH) {
            throw new LinkViolation(
                    "Worker %s sent a batch of %d; 1 to %d are allowed."
                            .formatted(sender, count, RingOptions.MAX_BATCH));
        }
    }

    private static void requirePosition(int first, int count, RingSession session, String sender)
            throws LinkViolation {
        if (first < 0 || (long) first + count > session.ticket.maxPositions()) {
            throw new LinkViolation(
                    "Worker %s sent position %s; session %s was granted %d positions."
                            .formatted(
                                    sender,
                                    Integer.toUnsignedString(first),
                                    session.ticket.session(),
                                    session.ticket.maxPositions()));
        }
    }

    private static int token(int token, RingSession session, String sender) throws LinkViolation {
        int vocabulary = session.shape.vocabulary();
        if (token < 0 || (vocabulary > 0 && token >= vocabulary)) {
            throw new LinkViolation(
                    "Worker %s sent token %s; the model has %d."
                            .formatted(sender, Integer.toUnsignedString(token), vocabulary));
        }
        return token;
    }
}
