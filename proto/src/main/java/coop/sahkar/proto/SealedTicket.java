package coop.sahkar.proto;

/**
 * A ticket as it was signed. Protobuf encodings are not canonical, so the exact bytes are kept and
 * passed on.
 *
 * @param ticket the ticket, read from {@code bytes}
 * @param bytes the bytes that were signed; not to be changed
 * @param signature Ed25519 signature over {@code bytes}; not to be changed
 * @param keyId which key signed
 */
@SuppressWarnings("ArrayRecordComponent") // compared by identity only; copying per message is waste
public record SealedTicket(Ticket ticket, byte[] bytes, byte[] signature, String keyId) {}
