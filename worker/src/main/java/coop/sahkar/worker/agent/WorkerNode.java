package coop.sahkar.worker.agent;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.PoolClock;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.MeasurePeers;
import coop.sahkar.proto.v1.Revocations;
import coop.sahkar.proto.v1.Welcome;
import coop.sahkar.proto.v1.WorkerReport;
import coop.sahkar.worker.engine.LogRoom;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.head.HeadService;
import coop.sahkar.worker.llama.LlamaLibrary;
import coop.sahkar.worker.peers.PeerAddress;
import coop.sahkar.worker.peers.PeerMeter;
import coop.sahkar.worker.peers.PingService;
import coop.sahkar.worker.relay.ReachedSources;
import coop.sahkar.worker.relay.Relays;
import coop.sahkar.worker.ring.Ring;
import coop.sahkar.worker.ring.RingOptions;
import coop.sahkar.worker.store.FetchPolicy;
import coop.sahkar.worker.store.PoolModels;
import coop.sahkar.worker.store.ShardKey;
import coop.sahkar.worker.store.ShardStore;
import coop.sahkar.worker.store.TensorService;
import coop.sahkar.worker.store.TensorStore;
import io.grpc.BindableService;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A worker at work: attached to its coordinators, hosting what they ask for, serving the ring. Many
 * may run in one process, each with its own data directory.
 */
public final class WorkerNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerNode.class);
    private static final long DRAIN_MILLIS = 60_000;
    private static final long CLOSING_DRAIN_MILLIS = 3_000;
    private static final String STOPPED = "the donor has stopped the worker";
    private static final int MAX_SEQUENCES = 64;
    private static final Backoff RETRY = new Backoff(5_000, 300_000);

    private final WorkerOptions options;
    private final WorkerListener listener;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final AtomicBoolean closing = new AtomicBoolean();
    private final WorkerSelf self;
    private final TicketKeys keys = new TicketKeys();
    private final ShardHost host;
    private final ControlLinks links;
    private final @Nullable URI metricsUrl;
    private final WorkerCertificate certificate;
    private final Relays relays;
    private final InetSocketAddress own;
    private final PeerMeter meter;
    private final RepairCalls repairs;
    private final Ring ring;
    private final Leave leave;

    /**
     * Starts a worker. Returns when it listens; coordinators and shards come later.
     *
     * @throws WorkerException in a sentence, if it cannot: the data directory is in use, the port
     *     is taken, llama.cpp does not load
     */
    public static WorkerNode start(WorkerOptions options, WorkerListener listener)
            throws WorkerException {
        FirstSteps.take();
        List<AutoCloseable> opened = new ArrayList<>();
        try {
            return new WorkerNode(options, listener, opened);
        } catch (StageException | IOException e) {
            closeAll(opened);
            throw new WorkerException(String.valueOf(e.getMessage()), e);
        } catch (WorkerException | RuntimeException e) {
            closeAll(opened);
            throw e;
        }
    }

    private WorkerNode(WorkerOptions options, WorkerListener listener, List<AutoCloseable> untilNow)
            throws WorkerException, StageException, IOException {
        RandomGenerator random = new SecureRandom();
        this.options = options;
        this.listener = listener;
        WorkerIdentity identity = WorkerIdentity.open(options.data(), options.name(), random);
        untilNow.add(identity);
        LlamaLibrary library = library(options);
        TensorStore files = TensorStore.open(options.data().resolve("shards"), options.diskBytes());
        LongSupplier clock = InstantSource.system()::millis;
        PoolClock time = PoolClock.system();
        this.certificate = WorkerCertificate.open(options, identity.workerId(), clock);
        untilNow.add(certificate);
        Transport transport = certificate.transport();
        this.relays = new Relays(identity.workerId(), transport);
        untilNow.add(relays);
        this.ring = new Ring(ringOptions(identity.workerId()), keys, relays, transport, time);
        untilNow.add(ring);
        HostedHeads heads = new HostedHeads();
        int port =
                ring.listen(
                                new InetSocketAddress(options.bindHost(), options.port()),
                                services(identity.workerId(), files, heads, clock))
                        .port();
        this.own = own(port);
        this.self = self(identity.workerId(), port, library);
        HostOptions hostOptions = hostOptions(library);
        this.links = links(random);
        untilNow.add(links);
        this.meter = meter();
        untilNow.add(meter);
        this.repairs = new RepairCalls(links::known, ring.directory(), transport);
        untilNow.add(repairs);
        this.host =
                new ShardHost(
                        hostOptions,
                        new HostPorts(
                                new LlamaLoader(library, options.gpuLayers()),
                                ring.links(),
                                logs(untilNow),
                                ring.directory(),
                                heads,
                                repairs,
                                this::changed),
                        fetcher(hostOptions, files),
                        time::monotonicMillis,
                        random);
        untilNow.add(host);
        this.leave = new Leave(host, links::attached, time::monotonicMillis);
        this.metricsUrl = metrics(files, untilNow);
        opened.addAll(untilNow);
        listener.ready(self);
        host.start();
        links.start(options.coordinators());
        certificate.keep(links::known);
    }

    private ControlLinks links(RandomGenerator random) {
        return new ControlLinks(
                self.hello(),
                this::report,
                new Heard(),
                ControlPace.DEFAULT,
                random,
                certificate.transport());
    }

    private PeerMeter meter() {
        return new PeerMeter(
                (coordinator, micros) -> links.measured(coordinator, MeasureAdapter.write(micros)),
                certificate.transport());
    }

    private ShardFetcher fetcher(HostOptions hostOptions, TensorStore files) {
        Transport transport = certificate.transport();
        return new ShardFetcher(
                hostOptions,
                modelId -> new PoolModels(links.known(), transport).manifest(modelId),
                new ShardStore(files, FetchPolicy.DEFAULT, transport),
                this::ways);
    }

    private @Nullable URI metrics(TensorStore files, List<AutoCloseable> untilNow)
            throws IOException {
        InetSocketAddress at = options.metrics();
        if (at == null) {
            return null;
        }
        var registry =
                MetricsPage.registry(() ->
                        new MetricsPage.View(
                                self,
                                files.usedBytes(),
                                options.diskBytes(),
                                ring.directory().sessionCount(),
                                ring.counters(),
                                host.shards()));
        untilNow.add(registry::close);
        MetricsServer server = MetricsServer.start(at, registry::scrape);
        untilNow.add(server);
        return server.url();
    }

    private List<BindableService> services(
            String workerId, TensorStore files, HostedHeads heads, LongSupplier clock) {
        return List.of(
                new TensorService(files),
                new HeadService(workerId, heads, ring.directory(), clock),
                new ReachService(workerId),
                new PingService(workerId));
    }

    private static LlamaLibrary library(WorkerOptions options) throws StageException {
        Path chosen = options.libraryDirectory();
        return chosen == null
                ? LlamaLibrary.bundled(options.data().resolve("llama"))
                : LlamaLibrary.inDirectory(chosen);
    }

    private ReachedSources ways(List<String> sources) {
        String ourselves = "sahkar://" + self.endpoint();
        return relays.reach(sources.stream().filter(s -> !s.equals(ourselves)).toList());
    }

    /** Where this worker reaches itself. */
    private InetSocketAddress own(int port) throws UnknownHostException {
        InetAddress bound = InetAddress.getByName(options.bindHost());
        InetAddress here = bound.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : bound;
        return new InetSocketAddress(here, port);
    }

    private RingOptions ringOptions(String workerId) {
        RingOptions usual = RingOptions.defaults(workerId);
        return options.codecs().isEmpty() ? usual : usual.withCodecs(options.codecs());
    }

    private WorkerSelf self(String workerId, int port, LlamaLibrary library)
            throws StageException, IOException {
        long speed = options.decodeBytesPerSecond();
        if (speed == 0) {
            speed = new SpeedProbe(library, options.threads(), options.data()).bytesPerSecond();
        }
        return new WorkerSelf(
                workerId,
                options.advertisedHost() + ":" + port,
                options.software(),
                "llama.cpp " + library.release(),
                options.memoryBytes(),
                speed,
                options.threads(),
                options.relaying(),
                options.owner());
    }

    private LogRoom logs(List<AutoCloseable> untilNow) {
        Path folder = options.data().resolve("hidden-states");
        LogRoom room = LogRoom.open(folder, LogRoom.MEMORY_BYTES, options.logDiskBytes());
        untilNow.add(room);
        return room;
    }

    private HostOptions hostOptions(LlamaLibrary library) {
        return new HostOptions(
                options.memoryBytes(),
                options.threads(),
                Math.min(MAX_SEQUENCES, library.maxSequences()),
                options.gpuLayers(),
                DRAIN_MILLIS,
                RETRY);
    }

    /** Who this worker is. */
    public WorkerSelf self() {
        return self;
    }

    /** Where Prometheus reads how it fares; empty when that is off. */
    public Optional<URI> metricsUrl() {
        return Optional.ofNullable(metricsUrl);
    }

    /** Every shard as it is now. */
    public List<ShardStatus> shards() {
        return host.shards();
    }

    private WorkerReport.Builder report() {
        WorkerReport.Builder report = WorkerReport.newBuilder().setGeneration(host.generation());
        host.shards().forEach(shard -> report.addShards(shard.report()));
        return report;
    }

    private void changed() {
        links.changed();
        listener.shards(host.shards());
    }

    private final class Heard implements ControlEvents {
        @Override
        public void known(String coordinator, ByteString relayToken) {
            relays.admitted(coordinator, relayToken);
        }

        @Override
        public void dialled(String coordinator, Optional<String> fault) {
            if (fault.isPresent() && options.relaying() != Relaying.NEVER) {
                relays.serve(coordinator, own);
                listener.relayed(coordinator, fault.get());
            } else {
                relays.stop(coordinator);
            }
        }

        @Override
        public void welcomed(String coordinator, Welcome welcome) {
            keys.replace(coordinator, welcome.getTicketKeysList());
            repairs.connect(coordinator);
            listener.attached(coordinator, welcome.getCoordinatorId());
        }

        @Override
        public void assigned(String coordinator, Assignment assignment) {
            try {
                Desired desired = AssignmentAdapter.read(assignment);
                keys.replace(coordinator, assignment.getTicketKeysList());
                host.assign(desired);
            } catch (IllegalArgumentException e) {
                LOG.warn("{} sent an assignment that is refused: {}", coordinator, e.getMessage());
            }
        }

        @Override
        public void measure(String coordinator, MeasurePeers measure) {
            List<PeerAddress> peers = MeasureAdapter.read(measure);
            meter.wanted(coordinator, peers, measure.getIntervalMillis());
            peers.forEach(peer -> ring.dialAhead(peer.workerId(), peer.endpoint()));
        }

        @Override
        public void revoked(String coordinator, Revocations revocations) {
            certificate.revoked(coordinator, revocations);
        }

        @Override
        public void coordinators(String coordinator, List<String> gateways) {} // links are kept

        @Override
        public void detached(String coordinator, String why) {
            listener.detached(coordinator, why);
        }
    }

    /** Sessions that run here now, as head or as a stage. */
    public int sessions() {
        return host.shards().stream()
                .mapToInt(shard -> shard.stats() == null ? 0 : shard.stats().sessions())
                .sum();
    }

    /**
     * Serves on what only this worker serves until others do, has the sessions that run led to
     * other workers, and begins nothing any more; what finds no other ends here in its time. Waits
     * until the last has gone, but no longer than {@code millis} and not after {@link #hurry}. Then
     * the worker is still to be closed.
     *
     * @param kept hears again and again what is served on until others serve it
     * @return whether all have gone
     */
    public boolean leave(long millis, Consumer<List<ShardKey>> kept) throws InterruptedException {
        links.leaving(STOPPED);
        return leave.take(millis, kept);
    }

    /** Whoever waits in {@link #leave} or {@link #close} for sessions to go is to wait no more. */
    public void hurry() {
        leave.hurry();
    }

    /**
     * Tells the coordinators, gives running sessions a few seconds to go elsewhere, and stops. A
     * second call waits for the first.
     */
    @Override
    public void close() {
        boolean first = closing.compareAndSet(false, true);
        try {
            if (!first) {
                stopped.await();
                return;
            }
            links.leaving(STOPPED);
            if (!leave.atOnce(CLOSING_DRAIN_MILLIS)) {
                LOG.info("sessions that still run are ended");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (first) {
            links.leave(STOPPED);
            closeAll(opened);
            stopped.countDown();
        }
    }

    private static void closeAll(List<AutoCloseable> opened) {
        for (AutoCloseable one : opened.reversed()) {
            try {
                one.close();
            } catch (Exception e) {
                LOG.warn("closing {} failed: {}", one.getClass().getSimpleName(), e.toString());
            }
        }
    }
}
