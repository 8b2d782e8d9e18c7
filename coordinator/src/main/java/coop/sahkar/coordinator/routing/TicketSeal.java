package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;

/** Signs tickets with this coordinator's key. */
@FunctionalInterface
public interface TicketSeal {
    /** Encodes and signs a ticket. */
    SealedTicket seal(Ticket ticket);
}
