package coop.sahkar.coordinator.state;

/**
 * Names one command for ever: 128 random bits, drawn by who proposes it.
 *
 * @param high the first 64 bits
 * @param low the last 64 bits
 */
public record CommandId(long high, long low) {}
