package coop.sahkar.coordinator.relay;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.Secret;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import java.util.List;
import org.junit.jupiter.api.Test;

class RelayRulesTest {
    private static final Ticket TICKET =
            new Ticket(
                    new SessionId(1, 2),
                    1,
                    "m@" + "0".repeat(64),
                    4,
                    List.of(
                            new RouteStage("a", "a:1", new Span(0, 2)),
                            new RouteStage("b", "relay://c:1/b", new Span(2, 4))),
                    "",
                    64,
                    1_000,
                    1);

    @Test
    void workersOfOneSessionAreConnectedEitherWay() {
        assertThat(RelayRules.call("a", "b", TICKET)).isEmpty();
        assertThat(RelayRules.call("b", "a", TICKET)).isEmpty();
    }

    @Test
    void nobodyElseIs() {
        assertThat(RelayRules.call("x", "b", TICKET).orElseThrow().kind())
                .isEqualTo(Problem.Kind.UNAUTHORIZED);
        assertThat(RelayRules.call("a", "x", TICKET).orElseThrow().kind())
                .isEqualTo(Problem.Kind.UNAUTHORIZED);
        assertThat(RelayRules.call("a", "a", TICKET).orElseThrow().kind())
                .isEqualTo(Problem.Kind.PROTOCOL);
    }

    @Test
    void withoutATicketOnlyWhatThePlacementAsksForIsFetched() {
        assertThat(RelayRules.callWithoutTicket("a", "b", true)).isEmpty();
        assertThat(RelayRules.callWithoutTicket("a", "b", false).orElseThrow().kind())
                .isEqualTo(Problem.Kind.UNAUTHORIZED);
    }

    @Test
    void aTokenProvesOneWorkerOfOneProcess() {
        RelayTokens tokens = new RelayTokens(new Secret(new byte[32]));
        RelayTokens restarted =
                new RelayTokens(new Secret(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));

        assertThat(tokens.proves("a", tokens.of("a"))).isTrue();
        assertThat(tokens.proves("b", tokens.of("a"))).isFalse();
        assertThat(tokens.proves("a", new byte[0])).isFalse();
        assertThat(restarted.proves("a", tokens.of("a"))).isFalse();
    }
}
