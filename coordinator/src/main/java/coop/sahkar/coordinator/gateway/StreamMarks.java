package coop.sahkar.coordinator.gateway;

import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.proto.v1.Resume;
import coop.sahkar.proto.v1.ResumePoint;
import coop.sahkar.proto.v1.StreamMark;
import coop.sahkar.proto.v1.StreamPlace;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes into the ids of events how a stream goes on at another coordinator, and reads it there.
 * The right to the session travels as a ticket that any coordinator of the pool has signed; where a
 * ticket names the caller, it bears a hash of who asked what instead. So the id is of use only to
 * the same caller with the same request. Thread-safe.
 */
final class StreamMarks {
    private static final String WHAT = "sahkar-stream-mark";
    private static final int PROOF_BYTES = 16;
    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

    private final GenerationRunner runner;
    private final LongSupplier unixMillis;

    /**
     * @param unixMillis the time that ids are dated with
     */
    StreamMarks(GenerationRunner runner, LongSupplier unixMillis) {
        this.runner = runner;
        this.unixMillis = unixMillis;
    }

    /**
     * A request, as it came.
     *
     * @param account whose it is
     * @param chat to which of the two endpoints it came
     * @param body its bytes; not to be changed
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Asked(String account, boolean chat, byte[] body) {}

    /**
     * A stream to go on with.
     *
     * @param mark what its answer is called, and its seed
     * @param resume how to go on with its session
     * @param place how far its reader has come
     */
    record Found(StreamMark mark, Resume resume, StreamPlace place) {}

    /** Unix time, in milliseconds. */
    long now() {
        return unixMillis.getAsLong();
    }

    /**
     * What the ids of a stream have in common from here on; empty where it cannot go on elsewhere.
     *
     * @param named seed and names of the answer
     * @param point where its session stands
     */
    String of(Asked asked, StreamMark named, ResumePoint point) {
        Ticket ticket = runner.ticketOf(point.getTicket());
        if (ticket == null) {
            return "";
        }
        StreamMark.Builder mark =
                named.toBuilder()
                        .setCallerMark(ticket.account())
                        .setTurn(point.getTurn())
                        .setAskedAtMillis(point.getAskedAtMillis());
        SealedTicket proof = runner.seal(bearing(ticket, hash(asked, mark.build())));
        if (proof == null) {
            return "";
        }
        String text =
                ENCODER.encodeToString(mark.setProof(Tickets.toWire(proof)).build().toByteArray());
        return text.length() > GatewayLimits.MAX_STREAM_MARK_CHARS ? "" : text;
    }

    /** The part of an id that is its event's own. */
    static String of(StreamPlace place) {
        return ENCODER.encodeToString(place.toByteArray());
    }

    /**
     * Reads the id of the last event that a reader has seen.
     *
     * @param mark the part that its stream's ids have in common
     * @param place the part that is its own
     * @return null if it is none, is too old, or belongs to another caller or request
     */
    @Nullable Found find(Asked asked, String mark, String place) {
        try {
            StreamMark read = StreamMark.parseFrom(Base64.getUrlDecoder().decode(mark));
            StreamPlace at = StreamPlace.parseFrom(Base64.getUrlDecoder().decode(place));
            Ticket proof = runner.ticketOf(read.getProof());
            if (proof == null || !proof.account().equals(hash(asked, read))) {
                return null;
            }
            Resume resume = resume(read, at, proof);
            return resume == null ? null : new Found(read, resume, at);
        } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
            return null;
        }
    }

    private @Nullable Resume resume(StreamMark mark, StreamPlace place, Ticket proof) {
        long eventMillis = mark.getAskedAtMillis() + place.getAgeTenths() * 100L;
        long sinceMillis = unixMillis.getAsLong() - eventMillis;
        SealedTicket ticket = runner.seal(bearing(proof, mark.getCallerMark()));
        if (sinceMillis > GatewayLimits.MARK_MILLIS || ticket == null) {
            return null;
        }
        ResumePoint point = ResumePoints.of(ticket, mark.getTurn(), mark.getAskedAtMillis());
        // Each try needs a route of its own number, and nobody counts a reader's tries: time does.
        long attempt = Math.clamp(1 + sinceMillis / 100, 1, GatewayLimits.MAX_RESUME_ATTEMPTS);
        // A token has a byte at least: nobody has heard more of them than bytes.
        long heard = Math.clamp(place.getTokens(), 0, place.getBytes());
        return Resume.newBuilder()
                .setPoint(point)
                .setAttempt((int) attempt)
                .setHeardTokens((int) heard)
                .build();
    }

    private static Ticket bearing(Ticket ticket, String account) {
        return new Ticket(
                ticket.session(),
                ticket.epoch(),
                ticket.modelId(),
                ticket.blockCount(),
                ticket.stages(),
                account,
                ticket.maxPositions(),
                ticket.expiresAtMillis(),
                ticket.generation());
    }

    /** Of who asked what, and of all that the mark says beside its proof. */
    private static String hash(Asked asked, StreamMark mark) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            update(digest, WHAT);
            update(digest, asked.account());
            update(digest, mark.getCallerMark());
            digest.update(
                    ByteBuffer.allocate(2 * Integer.BYTES + 4 * Long.BYTES)
                            .putInt(asked.chat() ? 1 : 0)
                            .putInt(mark.getTurn())
                            .putLong(mark.getAskedAtMillis())
                            .putLong(mark.getSeed())
                            .putLong(mark.getAnswer())
                            .putLong(mark.getCreatedSeconds())
                            .flip());
            return HexFormat.of().formatHex(digest.digest(asked.body()), 0, PROOF_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static void update(MessageDigest digest, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        digest.update(bytes);
    }
}
