package coop.sahkar.coordinator.state;

import coop.sahkar.governance.ledger.AccountName;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.LlamaRelease;

/**
 * A worker as it introduced itself.
 *
 * @param id chosen at its first start, kept in its data directory
 * @param endpoint where other workers reach it, {@code host:port}
 * @param software version of its software
 * @param library the llama.cpp it runs
 * @param memoryBytes memory its donor lends for weights and KV
 * @param decodeBytesPerSecond weight bytes it passes per second when it decodes one token at a time
 * @param threads threads it computes with
 * @param registeredAtMillis Unix time of this registration
 * @param owner the account of the ledger it earns for, as it says itself; empty: one of its own
 */
public record WorkerRecord(
        String id,
        String endpoint,
        String software,
        String library,
        long memoryBytes,
        long decodeBytesPerSecond,
        int threads,
        long registeredAtMillis,
        String owner) {

    private static final int MAX_WORDS = 256;

    /**
     * Checks the numbers and lengths.
     *
     * @throws IllegalArgumentException in a sentence that names what is wrong
     */
    public WorkerRecord {
        require(id.matches("[A-Za-z0-9._-]{1," + Limits.MAX_WORKER_ID + "}"), "worker_id", id);
        require(endpoint.matches("\\S+:[0-9]{1,5}"), "endpoint", endpoint);
        require(endpoint.length() <= Limits.MAX_ENDPOINT, "endpoint", "too long");
        require(software.length() <= MAX_WORDS, "software", "too long");
        require(library.length() <= MAX_WORDS, "library", "too long");
        require(memoryBytes >= 0, "memory_bytes", memoryBytes);
        require(decodeBytesPerSecond >= 0, "decode_bytes_per_second", decodeBytesPerSecond);
        require(AccountName.validOwner(owner), "owner", owner);
        require(threads >= 1 && threads <= 4096, "threads", threads);
    }

    /** A worker that names no owner. */
    public WorkerRecord(
            String id,
            String endpoint,
            String software,
            String library,
            long memoryBytes,
            long decodeBytesPerSecond,
            int threads,
            long registeredAtMillis) {
        this(
                id,
                endpoint,
                software,
                library,
                memoryBytes,
                decodeBytesPerSecond,
                threads,
                registeredAtMillis,
                "");
    }

    /** What its library can load. */
    public LlamaRelease release() {
        return LlamaRelease.named(library);
    }

    /** Whether the worker says the same of itself, whenever it was registered. */
    public boolean sameAs(WorkerRecord other) {
        return registeredAt(0).equals(other.registeredAt(0));
    }

    private WorkerRecord registeredAt(long millis) {
        return new WorkerRecord(
                id,
                endpoint,
                software,
                library,
                memoryBytes,
                decodeBytesPerSecond,
                threads,
                millis,
                owner);
    }

    private static void require(boolean holds, String field, Object value) {
        if (!holds) {
            String shown = value.toString();
            throw new IllegalArgumentException(
                    "a worker's %s cannot be \"%s\""
                            .formatted(field, shown.substring(0, Math.min(80, shown.length()))));
        }
    }
}
