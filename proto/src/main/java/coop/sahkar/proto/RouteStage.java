package coop.sahkar.proto;

/**
 * One worker's place in a route.
 *
 * @param workerId who serves it
 * @param endpoint where it is reached, {@code host:port} or a {@link RelayEndpoint}
 * @param span its blocks
 */
public record RouteStage(String workerId, String endpoint, Span span) {}
