package coop.sahkar.worker.agent;

import coop.sahkar.proto.ProtocolVersions;
import coop.sahkar.proto.v1.WorkerHello;

/**
 * What a worker says of itself.
 *
 * @param workerId its id
 * @param endpoint where other workers reach it, host:port
 * @param software version of this program
 * @param library the llama.cpp it runs
 * @param memoryBytes memory the donor lends
 * @param decodeBytesPerSecond weight bytes it passes per second when it decodes
 * @param threads threads it computes with
 * @param relaying when it is reached through coordinators
 * @param owner account of the ledger that it earns for; empty: one of its own
 */
public record WorkerSelf(
        String workerId,
        String endpoint,
        String software,
        String library,
        long memoryBytes,
        long decodeBytesPerSecond,
        int threads,
        Relaying relaying,
        String owner) {

    WorkerHello hello() {
        return WorkerHello.newBuilder()
                .setProtocol(ProtocolVersions.ours())
                .setWorkerId(workerId)
                .setEndpoint(endpoint)
                .setSoftware(software)
                .setLibrary(library)
                .setMemoryBytes(memoryBytes)
                .setDecodeBytesPerSecond(decodeBytesPerSecond)
                .setThreads(threads)
                .setRelay(relaying.toWire())
                .setOwner(owner)
                .build();
    }
}
