package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.SealedTicket;

/**
 * A route drawn for one session.
 *
 * @param ticket the signed right to use it; its stages are the route
 */
public record DrawnRoute(SealedTicket ticket) {}
