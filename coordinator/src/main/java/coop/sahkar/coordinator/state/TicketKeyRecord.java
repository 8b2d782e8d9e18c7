package coop.sahkar.coordinator.state;

/**
 * A public key that signs session tickets.
 *
 * @param keyId names it in tickets
 * @param publicKey Ed25519, X.509 SubjectPublicKeyInfo, DER
 */
public record TicketKeyRecord(String keyId, Encoded publicKey) {}
