package coop.sahkar.worker.ring;

import com.google.protobuf.UnsafeByteOperations;
import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.HiddenStates;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Tickets;
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
import coop.sahkar.proto.v1.TokenChance;
import coop.sahkar.proto.v1.Tokens;
import coop.sahkar.worker.engine.StageMessage;
import java.nio.ByteBuffer;

/** Writes stage messages as the wire has them. Hidden states are wrapped, not copied. */
final class MessagePublisher {
    private static final int ENVELOPE_BYTES = 64;
    private static final int CHANCE_BYTES = 32;

    private MessagePublisher() {}

    /** The message for a link whose frames travel in {@code codec}. */
    static RingMessage toWire(StageMessage message, HiddenCodec codec) {
        RingMessage.Builder wire = RingMessage.newBuilder();
        switch (message) {
            case StageMessage.Open open -> wire.setOpen(open(open));
            case StageMessage.Frames frames -> wire.setFrames(frames(frames, codec));
            case StageMessage.Tokens tokens -> wire.setTokens(tokens(tokens));
            case StageMessage.Progress p ->
                    wire.setProgress(
                            Progress.newBuilder()
                                    .setSessionHigh(p.session().high())
                                    .setSessionLow(p.session().low())
                                    .setEpoch(p.epoch())
                                    .setPosition(p.position()));
            case StageMessage.NeedFrom n ->
                    wire.setNeedFrom(
                            NeedFrom.newBuilder()
                                    .setSessionHigh(n.session().high())
                                    .setSessionLow(n.session().low())
                                    .setEpoch(n.epoch())
                                    .setPosition(n.position()));
            case StageMessage.Close c ->
                    wire.setClose(
                            CloseSession.newBuilder()
                                    .setSessionHigh(c.session().high())
                                    .setSessionLow(c.session().low())
                                    .setEpoch(c.epoch())
                                    .setRestMillis(c.restMillis())
                                    .setHereOnly(c.hereOnly()));
            case StageMessage.Leaving l ->
                    wire.setLeaving(
                            StageLeaving.newBuilder()
                                    .setSessionHigh(l.session().high())
                                    .setSessionLow(l.session().low())
                                    .setEpoch(l.epoch()));
            case StageMessage.Failed f -> wire.setFailed(failed(f));
            case StageMessage.Probe p -> wire.setProbe(probe(p));
            case StageMessage.KvWanted w -> wire.setKvWanted(kvWanted(w));
            case StageMessage.KvPart p -> wire.setKvPart(kvPart(p));
            case StageMessage.ProbeAnswer a -> wire.setProbeAnswer(probeAnswer(a));
        }
        return wire.build();
    }

    /** About how many bytes a message keeps in memory while it waits. */
    static long queuedBytes(StageMessage message) {
        return switch (message) {
            case StageMessage.Frames frames -> {
                long bytes = 0;
                for (StageMessage.Frame frame : frames.frames()) {
                    bytes +=
                            frame.hidden().remaining()
                                    + (long) frame.tokens().length * Integer.BYTES
                                    + ENVELOPE_BYTES;
                }
                yield bytes;
            }
            case StageMessage.Open open ->
                    open.ticket().bytes().length
                            + open.sampling().grammar().length()
                            + (long) ENVELOPE_BYTES;
            case StageMessage.KvWanted wanted ->
                    wanted.ticket().bytes().length + (long) ENVELOPE_BYTES;
            case StageMessage.KvPart part ->
                    part.part().remaining()
                            + (long) part.tokens().length * Integer.BYTES
                            + ENVELOPE_BYTES;
            case StageMessage.Probe probe -> probe.ticket().bytes().length + (long) ENVELOPE_BYTES;
            case StageMessage.Tokens tokens -> {
                long bytes = 0;
                for (StageMessage.Token token : tokens.tokens()) {
                    bytes += ENVELOPE_BYTES + (long) token.chances().size() * CHANCE_BYTES;
                    bytes += (long) token.embedding().size() * Float.BYTES;
                }
                yield bytes;
            }
            case StageMessage.Progress _,
                    StageMessage.NeedFrom _,
                    StageMessage.Close _,
                    StageMessage.Failed _,
                    StageMessage.Leaving _,
                    StageMessage.ProbeAnswer _ ->
                    ENVELOPE_BYTES;
        };
    }

    private static OpenSession open(StageMessage.Open open) {
        OpenSession.Builder wire = OpenSession.newBuilder();
        if (open.before() != null) {
            wire.setBefore(Tickets.toWire(open.before()));
        }
        return wire.setTicket(Tickets.toWire(open.ticket()))
                .setStage(open.stage())
                .setSampling(SamplingAdapter.toWire(open.sampling()))
                .setKeep(open.keep().positions())
                .setTurn(open.keep().turn())
                .setPriorTurn(open.keep().priorTurn())
                .setPriorKeep(open.keep().priorPositions())
                .build();
    }

    private static KvWanted kvWanted(StageMessage.KvWanted wanted) {
        return KvWanted.newBuilder()
                .setTicket(Tickets.toWire(wanted.ticket()))
                .setStage(wanted.stage())
                .setTurn(wanted.turn())
                .setPositions(wanted.positions())
                .setFormat(wanted.format())
                .setOffset(wanted.offset())
                .build();
    }

    private static KvPart kvPart(StageMessage.KvPart part) {
        KvPart.Builder wire =
                KvPart.newBuilder()
                        .setSessionHigh(part.session().high())
                        .setSessionLow(part.session().low())
                        .setEpoch(part.epoch())
                        .setPositions(part.positions())
                        .setBytes(part.bytes())
                        .setOffset(part.offset())
                        .setPart(UnsafeByteOperations.unsafeWrap(part.part()));
        for (int token : part.tokens()) {
            wire.addTokens(token);
        }
        return wire.build();
    }

    private static Probe probe(StageMessage.Probe probe) {
        return Probe.newBuilder()
                .setTicket(Tickets.toWire(probe.ticket()))
                .setStage(probe.stage())
                .setRound(probe.round())
                .build();
    }

    private static ProbeAnswer probeAnswer(StageMessage.ProbeAnswer answer) {
        return ProbeAnswer.newBuilder()
                .setSessionHigh(answer.session().high())
                .setSessionLow(answer.session().low())
                .setEpoch(answer.epoch())
                .setStage(answer.stage())
                .setRound(answer.round())
                .setOpen(answer.open())
                .setHeld(answer.held())
                .setQueued(answer.queued())
                .setFlowing(answer.flowing())
                .setSent(answer.sent())
                .setBatchMicros(answer.batchMicros())
                .setUsualMicros(answer.usualMicros())
                .build();
    }

    private static Frames frames(StageMessage.Frames frames, HiddenCodec codec) {
        Frames.Builder wire = Frames.newBuilder();
        for (StageMessage.Frame frame : frames.frames()) {
            wire.addFrames(frame(frame, codec));
        }
        return wire.build();
    }

    private static Frame.Builder frame(StageMessage.Frame frame, HiddenCodec codec) {
        Frame.Builder wire =
                Frame.newBuilder()
                        .setSessionHigh(frame.session().high())
                        .setSessionLow(frame.session().low())
                        .setEpoch(frame.epoch())
                        .setFirstPosition(frame.firstPosition())
                        .setWantToken(frame.wantToken())
                        .setCodec(Wire.toWire(codec))
                        .setComputedMicros(frame.computedMicros())
                        .setHidden(UnsafeByteOperations.unsafeWrap(inCodec(frame, codec)));
        for (int token : frame.tokens()) {
            wire.addTokens(token);
        }
        return wire;
    }

    private static ByteBuffer inCodec(StageMessage.Frame frame, HiddenCodec codec) {
        if (frame.codec() == codec) {
            return frame.hidden();
        }
        return HiddenStates.encode(inF32(frame), codec);
    }

    private static ByteBuffer inF32(StageMessage.Frame frame) {
        if (frame.codec() == HiddenCodec.F32) {
            return frame.hidden();
        }
        int values = frame.hidden().remaining() / frame.codec().bytesPerValue();
        ByteBuffer f32 = ByteBuffer.allocate(values * Float.BYTES);
        HiddenStates.decode(frame.hidden(), frame.codec(), f32);
        return f32;
    }

    private static TokenChance chance(coop.sahkar.worker.engine.TokenChance chance) {
        return TokenChance.newBuilder()
                .setToken(chance.token())
                .setLogProbability(chance.logProbability())
                .build();
    }

    private static Tokens tokens(StageMessage.Tokens tokens) {
        Tokens.Builder wire = Tokens.newBuilder();
        for (StageMessage.Token token : tokens.tokens()) {
            SessionId session = token.session();
            wire.addTokens(
                    Token.newBuilder()
                            .setSessionHigh(session.high())
                            .setSessionLow(session.low())
                            .setEpoch(token.epoch())
                            .setPosition(token.position())
                            .setToken(token.token())
                            .setComputedMicros(token.computedMicros())
                            .addAllEmbedding(token.embedding())
                            .addAllChances(
                                    token.chances().stream()
                                            .map(MessagePublisher::chance)
                                            .toList()));
        }
        return wire.build();
    }

    private static SessionFailed failed(StageMessage.Failed failed) {
        return SessionFailed.newBuilder()
                .setSessionHigh(failed.session().high())
                .setSessionLow(failed.session().low())
                .setEpoch(failed.epoch())
                .setProblem(Wire.toWire(failed.problem()))
                .setWorkerId(failed.workerId())
                .build();
    }
}
