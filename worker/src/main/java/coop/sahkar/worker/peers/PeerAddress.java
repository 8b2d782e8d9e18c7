package coop.sahkar.worker.peers;

/**
 * A worker to measure the way to.
 *
 * @param workerId its id
 * @param endpoint host:port
 */
public record PeerAddress(String workerId, String endpoint) {}
