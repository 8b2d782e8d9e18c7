package coop.sahkar.worker.agent;

import coop.sahkar.proto.HiddenCodec;
import coop.sahkar.proto.tls.JoinToken;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a donor lends, and how the worker is reached. {@link #builder} starts from the usual values.
 *
 * @param name the worker's id; null: the one in the data directory, made at the first start
 * @param data where its id, shards and measurements are kept
 * @param coordinators host:port each; one that answers names the others
 * @param bindHost where it listens
 * @param port where it listens; 0 picks a free one
 * @param advertisedHost host that other workers reach it under
 * @param memoryBytes memory lent, for weights, keys and values, and buffers
 * @param diskBytes disk space lent
 * @param logDiskBytes disk space for hidden states of running sessions; 0: they stay in memory
 * @param threads threads that compute
 * @param codecs codecs of hidden states, the best first; empty: F32 on this machine, else F16
 * @param libraryDirectory folder of a llama.cpp release; null: the one that comes along
 * @param gpuLayers blocks that go to a GPU where the library has one
 * @param decodeBytesPerSecond speed to declare; 0: measure it
 * @param metrics where Prometheus reads how the worker fares; null: nowhere
 * @param software version of this program
 * @param relaying when it is reached through coordinators
 * @param owner account of the co-operative's ledger that it earns for; empty: one of its own
 * @param joining joins a co-operative with this first; null: it has joined, or speaks in the open
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
        long logDiskBytes,
        int threads,
        List<HiddenCodec> codecs,
        @Nullable Path libraryDirectory,
        int gpuLayers,
        long decodeBytesPerSecond,
        @Nullable InetSocketAddress metrics,
        String software,
        Relaying relaying,
        String owner,
        @Nullable JoinToken joining) {
    private static final String LOOPBACK = "127.0.0.1";
    private static final long DEFAULT_DISK_BYTES = 50_000_000_000L;
    private static final long DEFAULT_LOG_DISK_BYTES = 1L << 30;
    private static final int MAX_PORT = 65_535;
    private static final int MAX_OWNER = 128;

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
        require(logDiskBytes >= 0, "the disk space for hidden states cannot be negative");
        require(threads > 0, "threads must be at least 1, not " + threads);
        require(gpuLayers >= 0, "GPU layers cannot be " + gpuLayers);
        require(decodeBytesPerSecond >= 0, "the speed cannot be negative");
        require(
                owner.matches("[A-Za-z0-9._:@-]{0," + MAX_OWNER + "}"),
                "an owner is an account of up to %d letters, digits and . _ : @ -, not \"%s\""
                        .formatted(MAX_OWNER, owner));
    }

    /** Starts from the usual values: loopback, and what {@code machine} can spare. */
    public static Builder builder(Path data, List<String> coordinators, Machine machine) {
        return new Builder(data, coordinators, machine);
    }

    /** Changes the usual values one by one. */
    public static final class Builder {
        private final Path data;
        private final List<String> coordinators;
        private @Nullable String name;
        private String bindHost = LOOPBACK;
        private int port;
        private String advertisedHost = LOOPBACK;
        private long memoryBytes;
        private long diskBytes = DEFAULT_DISK_BYTES;
        private long logDiskBytes = DEFAULT_LOG_DISK_BYTES;
        private int threads;
        private List<HiddenCodec> codecs = List.of();
        private @Nullable Path libraryDirectory;
        private int gpuLayers;
        private long decodeBytesPerSecond;
        private @Nullable InetSocketAddress metrics;
        private String software = "dev";
        private Relaying relaying = Relaying.AUTO;
        private String owner = "";
        private @Nullable JoinToken joining;

        private Builder(Path data, List<String> coordinators, Machine machine) {
            this.data = data;
            this.coordinators = coordinators;
            this.memoryBytes = machine.sensibleMemoryBytes();
            this.threads = machine.cores();
        }

        /** The worker's id; null: the one in the data directory. */
        public Builder name(@Nullable String value) {
            name = value;
            return this;
        }

        /** Listens there, and is reached by others under {@code advertised}. */
        public Builder address(String host, int value, String advertised) {
            bindHost = host;
            port = value;
            advertisedHost = advertised;
            return this;
        }

        public Builder memoryBytes(long value) {
            memoryBytes = value;
            return this;
        }

        public Builder diskBytes(long value) {
            diskBytes = value;
            return this;
        }

        /** Disk space for hidden states of running sessions; 0: they stay in memory. */
        public Builder logDiskBytes(long value) {
            logDiskBytes = value;
            return this;
        }

        public Builder threads(int value) {
            threads = value;
            return this;
        }

        /** The best first; empty: F32 on this machine, else F16. */
        public Builder codecs(List<HiddenCodec> value) {
            codecs = value;
            return this;
        }

        /** Computes with this llama.cpp; null: with the one that comes along. */
        public Builder library(@Nullable Path directory, int layersOnGpu) {
            libraryDirectory = directory;
            gpuLayers = layersOnGpu;
            return this;
        }

        /** Declares this speed instead of measuring one; 0 measures. */
        public Builder decodeBytesPerSecond(long value) {
            decodeBytesPerSecond = value;
            return this;
        }

        /** Shows metrics there; null: nowhere. */
        public Builder metrics(@Nullable InetSocketAddress value) {
            metrics = value;
            return this;
        }

        public Builder software(String value) {
            software = value;
            return this;
        }

        /** When it is reached through coordinators. */
        public Builder relaying(Relaying value) {
            relaying = value;
            return this;
        }

        /** The account that it earns for; empty: one of its own. */
        public Builder owner(String value) {
            owner = value;
            return this;
        }

        /** Joins a co-operative with this token first; null: not. */
        public Builder joining(@Nullable JoinToken value) {
            joining = value;
            return this;
        }

        /**
         * Checks and makes the options.
         *
         * @throws IllegalArgumentException in a sentence that names the option
         */
        public WorkerOptions build() {
            return new WorkerOptions(
                    name,
                    data,
                    coordinators,
                    bindHost,
                    port,
                    advertisedHost,
                    memoryBytes,
                    diskBytes,
                    logDiskBytes,
                    threads,
                    codecs,
                    libraryDirectory,
                    gpuLayers,
                    decodeBytesPerSecond,
                    metrics,
                    software,
                    relaying,
                    owner,
                    joining);
        }
    }

    private static void require(boolean holds, String sentence) {
        if (!holds) {
            throw new IllegalArgumentException(sentence);
        }
    }
}
