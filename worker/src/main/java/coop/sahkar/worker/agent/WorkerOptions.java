package coop.sahkar.worker.agent;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.worker.llama.StageOptions;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a donor lends, and how the worker is reached. {@link #defaults} has the usual values; {@code
 * with…} methods change one.
 *
 * @param name the worker's id; null: the one in the data directory, made at the first start
 * @param data where its id, shards and measurements are kept
 * @param coordinators host:port each; one that answers names the others
 * @param bindHost where it listens
 * @param port where it listens; 0 picks a free one
 * @param advertisedHost host that other workers reach it under
 * @param memoryBytes memory lent, for weights, keys and values, and buffers
 * @param diskBytes disk space lent
 * @param threads threads that compute
 * @param codecs codecs of hidden states, the best first; empty: F32 on this machine, else F16
 * @param libraryDirectory folder of a llama.cpp release; null: the one that comes along
 * @param gpuLayers blocks that go to a GPU where the library has one
 * @param kvType how keys and values are kept
 * @param flashAttention whether to use llama.cpp's flash attention
 * @param decodeBytesPerSecond speed to declare; 0: measure it
 * @param software version of this program
 * @param relaying when it is reached through coordinators
 */
public record WorkerOptions(
        @Nullable String name,
        Path data,
        List<String> coordinators,
        String bindHost,
        int port,
        String advertisedHost,
        long memoryBytes,
        long diskBytes,
        int threads,
        List<HiddenCodec> codecs,
        @Nullable Path libraryDirectory,
        int gpuLayers,
        StageOptions.KvType kvType,
        boolean flashAttention,
        long decodeBytesPerSecond,
        String software,
        Relaying relaying) {
    private static final String LOOPBACK = "127.0.0.1";
    private static final long DEFAULT_DISK_BYTES = 50_000_000_000L;
    private static final int MAX_PORT = 65_535;

    /**
     * Checks the options.
     *
     * @throws IllegalArgumentException in a sentence that names the option
     */
    public WorkerOptions {
        coordinators = List.copyOf(coordinators);
        codecs = List.copyOf(codecs);
        require(!coordinators.isEmpty(), "a worker needs at least one coordinator, host:port");
        require(port >= 0 && port <= MAX_PORT, "the port must be from 0 to 65535, not " + port);
        require(memoryBytes > 0, "the memory to lend must be more than nothing");
        require(diskBytes > 0, "the disk space to lend must be more than nothing");
        require(threads > 0, "threads must be at least 1, not " + threads);
        require(gpuLayers >= 0, "GPU layers cannot be " + gpuLayers);
        require(
                !flashAttention || kvType == StageOptions.KvType.F16,
                "flash attention needs F16 keys and values");
        require(decodeBytesPerSecond >= 0, "the speed cannot be negative");
    }

    /** Listens on loopback, lends what {@code machine} can spare. */
    public static WorkerOptions defaults(Path data, List<String> coordinators, Machine machine) {
        return new WorkerOptions(
                null,
                data,
                coordinators,
                LOOPBACK,
                0,
                LOOPBACK,
                machine.sensibleMemoryBytes(),
                DEFAULT_DISK_BYTES,
                machine.cores(),
                List.of(),
                null,
                0,
                StageOptions.KvType.F16,
                false,
                0,
                "dev",
                Relaying.AUTO);
    }

    public WorkerOptions withName(@Nullable String newName) {
        return new WorkerOptions(
                newName,
                data,
                coordinators,
                bindHost,
                port,
                advertisedHost,
                memoryBytes,
                diskBytes,
                threads,
                codecs,
                libraryDirectory,
                gpuLayers,
                kvType,
                flashAttention,
                decodeBytesPerSecond,
                software,
                relaying);
    }

    /** Reached from elsewhere than this machine. */
    public WorkerOptions withAddress(String newBindHost, int newPort, String newAdvertisedHost) {
        return new WorkerOptions(
                name,
                data,
                coordinators,
                newBindHost,
                newPort,
                newAdvertisedHost,
                memoryBytes,
                diskBytes,
                threads,
                codecs,
                libraryDirectory,
                gpuLayers,
                kvType,
                flashAttention,
                decodeBytesPerSecond,
                software,
                relaying);
    }

    /** Lends as much. */
    public WorkerOptions withLent(long newMemoryBytes, long newDiskBytes, int newThreads) {
        return new WorkerOptions(
                name,
                data,
                coordinators,
                bindHost,
                port,
                advertisedHost,
                newMemoryBytes,
                newDiskBytes,
                newThreads,
                codecs,
                libraryDirectory,
                gpuLayers,
                kvType,
                flashAttention,
                decodeBytesPerSecond,
                software,
                relaying);
    }

    public WorkerOptions withCodecs(List<HiddenCodec> newCodecs) {
        return new WorkerOptions(
                name,
                data,
                coordinators,
                bindHost,
                port,
                advertisedHost,
                memoryBytes,
                diskBytes,
                threads,
                newCodecs,
                libraryDirectory,
                gpuLayers,
                kvType,
                flashAttention,
                decodeBytesPerSecond,
                software,
                relaying);
    }

    /** Computes with this llama.cpp. */
    public WorkerOptions withLibrary(@Nullable Path newLibraryDirectory, int newGpuLayers) {
        return new WorkerOptions(
                name,
                data,
                coordinators,
                bindHost,
                port,
                advertisedHost,
                memoryBytes,
                diskBytes,
                threads,
                codecs,
                newLibraryDirectory,
                newGpuLayers,
                kvType,
                flashAttention,
                decodeBytesPerSecond,
                software,
                relaying);
    }

    /** Keeps keys and values so. */
    public WorkerOptions withKv(StageOptions.KvType newKvType, boolean newFlashAttention) {
        return new WorkerOptions(
                name,
                data,
                coordinators,
                bindHost,
                port,
                advertisedHost,
                memoryBytes,
                diskBytes,
                threads,
                codecs,
                libraryDirectory,
                gpuLayers,
                newKvType,
                newFlashAttention,
                decodeBytesPerSecond,
                software,
                relaying);
    }

    /** Declares this speed instead of measuring one. */
    public WorkerOptions withSpeed(long newDecodeBytesPerSecond) {
        return new WorkerOptions(
                name,
                data,
                coordinators,
                bindHost,
                port,
                advertisedHost,
                memoryBytes,
                diskBytes,
                threads,
                codecs,
                libraryDirectory,
                gpuLayers,
                kvType,
                flashAttention,
                newDecodeBytesPerSecond,
                software,
                relaying);
    }

    public WorkerOptions withSoftware(String newSoftware) {
        return new WorkerOptions(
                name,
                data,
                coordinators,
                bindHost,
                port,
                advertisedHost,
                memoryBytes,
                diskBytes,
                threads,
                codecs,
                libraryDirectory,
                gpuLayers,
                kvType,
                flashAttention,
                decodeBytesPerSecond,
                newSoftware,
                relaying);
    }

    /** Reached so. */
    public WorkerOptions withRelaying(Relaying newRelaying) {
        return new WorkerOptions(
                name,
                data,
                coordinators,
                bindHost,
                port,
                advertisedHost,
                memoryBytes,
                diskBytes,
                threads,
                codecs,
                libraryDirectory,
                gpuLayers,
                kvType,
                flashAttention,
                decodeBytesPerSecond,
                software,
                newRelaying);
    }

    private static void require(boolean holds, String sentence) {
        if (!holds) {
            throw new IllegalArgumentException(sentence);
        }
    }
}
