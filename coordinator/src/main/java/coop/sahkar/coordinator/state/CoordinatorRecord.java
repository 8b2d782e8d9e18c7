package coop.sahkar.coordinator.state;

/**
 * What a coordinator says of itself.
 *
 * @param id its id
 * @param gateway where workers, clients and other coordinators reach it, {@code host:port}; empty
 *     if nowhere
 * @param knowsLevel highest {@link FeatureLevel} that it knows
 * @param ticketKeyId names the key that it signs session tickets with
 */
public record CoordinatorRecord(String id, String gateway, int knowsLevel, String ticketKeyId) {}
