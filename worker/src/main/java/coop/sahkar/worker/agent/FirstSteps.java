package coop.sahkar.worker.agent;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.proto.Tickets;
import coop.sahkar.worker.ring.MessageRehearsal;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what a session's opening needs a few times for nobody, while the shards are still being
 * fetched. In a young JVM the first check of a signature and the first messages take a hundred
 * times as long as later ones, and a session that was saved from a lost worker would wait for them.
 */
final class FirstSteps {
    private static final Logger LOG = LoggerFactory.getLogger(FirstSteps.class);
    private static final int TIMES = 20;

    private FirstSteps() {}

    /** Takes them on a thread of its own. */
    static void take() {
        var _ = Thread.ofPlatform().daemon().name("first-steps").start(FirstSteps::rehearse);
    }

    private static void rehearse() {
        try {
            KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
            List<RouteStage> route = List.of(new RouteStage("nobody", "", new Span(0, 1)));
            Ticket ticket =
                    new Ticket(new SessionId(0, 1), 1, "none", 1, route, "", 1, Long.MAX_VALUE, 0);
            SealedTicket sealed = Tickets.seal(ticket, "none", pair.getPrivate());
            for (int i = 0; i < TIMES; i++) {
                var _ = Tickets.open(Tickets.toWire(sealed), _ -> pair.getPublic(), 0);
                MessageRehearsal.of(sealed);
            }
        } catch (GeneralSecurityException | RuntimeException e) {
            LOG.warn("the first session here will be slow to open: {}", e.toString());
        }
    }
}
