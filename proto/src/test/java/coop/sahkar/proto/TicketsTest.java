package coop.sahkar.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.v1.SignedTicket;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TicketsTest {
    private static final long NOW = 1_800_000_000_000L;

    private KeyPair keys;
    private SealedTicket sealed;

    @BeforeEach
    void seal() throws Exception {
        keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        sealed = Tickets.seal(ticket(), "k1", keys.getPrivate());
    }

    private static Ticket ticket() {
        return new Ticket(
                new SessionId(-1, 0x1234),
                2,
                "tiny@" + "ab".repeat(32),
                6,
                List.of(
                        new RouteStage("w1", "127.0.0.1:1", new Span(0, 2)),
                        new RouteStage("w2", "127.0.0.1:2", new Span(2, 6))),
                "alice",
                512,
                NOW + 1000,
                9);
    }

    private Tickets.Opened open(SignedTicket wire, long now) {
        return Tickets.open(wire, id -> id.equals("k1") ? keys.getPublic() : null, now);
    }

    private static Problem problem(Tickets.Opened opened) {
        assertThat(opened).isInstanceOf(Tickets.Refused.class);
        return ((Tickets.Refused) opened).problem();
    }

    @Test
    void comesBackAsItWasSealed() {
        Tickets.Opened opened = open(Tickets.toWire(sealed), NOW);
        assertThat(opened).isInstanceOf(Tickets.Valid.class);
        SealedTicket back = ((Tickets.Valid) opened).ticket();
        assertThat(back.ticket()).isEqualTo(ticket());
        assertThat(back.bytes()).isEqualTo(sealed.bytes());
    }

    @Test
    void lastsUntilItsMillisecond() {
        assertThat(open(Tickets.toWire(sealed), NOW + 1000)).isInstanceOf(Tickets.Valid.class);
        Tickets.Opened opened = open(Tickets.toWire(sealed), NOW + 1001);
        assertThat(opened).isInstanceOf(Tickets.Expired.class);
        Problem late = ((Tickets.Expired) opened).problem();
        assertThat(late.kind()).isEqualTo(Problem.Kind.UNAUTHORIZED);
        assertThat(late.message()).contains("expired 1 ms ago");
    }

    @Test
    void everyChangedByteIsNoticed() {
        for (int i = 0; i < sealed.bytes().length; i++) {
            byte[] changed = sealed.bytes().clone();
            changed[i] ^= 1;
            SignedTicket wire =
                    Tickets.toWire(sealed).toBuilder()
                            .setTicket(ByteString.copyFrom(changed))
                            .build();
            assertThat(problem(open(wire, NOW)).kind()).isEqualTo(Problem.Kind.UNAUTHORIZED);
        }
    }

    @Test
    void unknownKeyAndMissingSignatureAreRefused() {
        SignedTicket wire = Tickets.toWire(sealed);
        assertThat(problem(open(wire.toBuilder().setKeyId("k2").build(), NOW)).kind())
                .isEqualTo(Problem.Kind.UNAUTHORIZED);
        assertThat(problem(open(wire.toBuilder().clearSignature().build(), NOW)).kind())
                .isEqualTo(Problem.Kind.PROTOCOL);
        assertThat(problem(open(SignedTicket.getDefaultInstance(), NOW)).kind())
                .isEqualTo(Problem.Kind.PROTOCOL);
    }

    @Test
    void genuinelySignedNonsenseIsRefusedWithASentence() throws Exception {
        Signature signer = Signature.getInstance("Ed25519");
        for (byte[] nonsense :
                List.of(new byte[0], new byte[] {1, 2, 3}, gapInRoute().toByteArray())) {
            signer.initSign(keys.getPrivate());
            signer.update(nonsense);
            SignedTicket wire =
                    SignedTicket.newBuilder()
                            .setTicket(ByteString.copyFrom(nonsense))
                            .setSignature(ByteString.copyFrom(signer.sign()))
                            .setKeyId("k1")
                            .build();
            Problem problem = problem(open(wire, NOW));
            assertThat(problem.kind()).isEqualTo(Problem.Kind.PROTOCOL);
            assertThat(problem.message()).startsWith("The session ticket cannot be read: ");
        }
    }

    private coop.sahkar.proto.v1.Ticket gapInRoute() throws Exception {
        return coop.sahkar.proto.v1.Ticket.parseFrom(sealed.bytes()).toBuilder()
                .removeStages(0)
                .build();
    }

    @Test
    void overlongTicketIsNotEvenVerified() {
        SignedTicket wire =
                Tickets.toWire(sealed).toBuilder()
                        .setTicket(ByteString.copyFrom(new byte[Limits.MAX_TICKET_BYTES + 1]))
                        .build();
        assertThat(problem(open(wire, NOW)).kind()).isEqualTo(Problem.Kind.PROTOCOL);
    }

    @Test
    void publicKeysTravel() {
        assertThat(Tickets.publicKey(keys.getPublic().getEncoded())).isEqualTo(keys.getPublic());
        assertThatThrownBy(() -> Tickets.publicKey(new byte[] {1, 2}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Ed25519");
    }
}
