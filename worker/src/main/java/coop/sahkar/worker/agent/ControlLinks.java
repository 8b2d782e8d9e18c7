package coop.sahkar.worker.agent;

import com.google.protobuf.ByteString;
import coop.sahkar.proto.Limits;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.Assignment;
import coop.sahkar.proto.v1.MeasurePeers;
import coop.sahkar.proto.v1.PeerLatencies;
import coop.sahkar.proto.v1.Revocations;
import coop.sahkar.proto.v1.Welcome;
import coop.sahkar.proto.v1.WorkerHello;
import coop.sahkar.proto.v1.WorkerReport;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The links to every coordinator: those the donor named and those they name in turn. One that
 * nobody names any more is given up when it is gone. One thread owns them all.
 */
final class ControlLinks implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlLinks.class);
    private static final int MAX_COORDINATORS = 32;
    private static final long GOODBYE_MILLIS = 2000;

    private final WorkerHello hello;
    private final Supplier<WorkerReport.Builder> reports;
    private final ControlEvents events;
    private final ControlPace pace;
    private final RandomGenerator random;
    private final Transport transport;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("control").factory());
    private final Map<String, ControlLink> links = new LinkedHashMap<>();
    private final Map<String, String> byId = new LinkedHashMap<>();
    private final Set<String> aliases = new LinkedHashSet<>();
    private final Set<String> donors = new LinkedHashSet<>();
    private final Map<String, List<String>> named = new LinkedHashMap<>();
    private final Set<String> attached = ConcurrentHashMap.newKeySet();
    private volatile List<String> known = List.of();

    ControlLinks(
            WorkerHello hello,
            Supplier<WorkerReport.Builder> reports,
            ControlEvents events,
            ControlPace pace,
            RandomGenerator random,
            Transport transport) {
        this.hello = hello;
        this.reports = reports;
        this.events = events;
        this.pace = pace;
        this.random = random;
        this.transport = transport;
    }

    /** Attaches to these, and to those they name. */
    void start(List<String> coordinators) {
        thread.execute(() -> {
            donors.addAll(coordinators);
            coordinators.forEach(this::add);
        });
    }

    /** Every coordinator known now, host:port, those that this worker is attached to first. */
    List<String> known() {
        return known;
    }

    /** Whether any of them has let this worker in. */
    boolean attached() {
        return !attached.isEmpty();
    }

    /** Reports to all of them at once. */
    void changed() {
        if (!thread.isShutdown()) {
            thread.execute(() -> links.values().forEach(ControlLink::changed));
        }
    }

    /** Tells one coordinator how far peers are. */
    void measured(String coordinator, PeerLatencies latencies) {
        if (!thread.isShutdown()) {
            thread.execute(() -> {
                ControlLink link = links.get(coordinator);
                if (link != null) {
                    link.measured(latencies);
                }
            });
        }
    }

    private void add(String coordinator) {
        boolean fits =
                !coordinator.isEmpty()
                        && coordinator.length() <= Limits.MAX_ENDPOINT
                        && links.size() < MAX_COORDINATORS;
        if (!fits || links.containsKey(coordinator)) {
            return;
        }
        ControlLink link =
                new ControlLink(
                        coordinator, hello, reports, new Heard(), thread, pace, random, transport);
        links.put(coordinator, link);
        order();
        link.start();
    }

    private void order() {
        List<String> order = new ArrayList<>(links.keySet());
        order.removeAll(aliases);
        order.sort(Comparator.comparing(coordinator -> !attached.contains(coordinator)));
        known = List.copyOf(order);
    }

    /** A coordinator names all of them; the ones that nobody names and that are gone are left. */
    private void take(String coordinator, List<String> gateways) {
        named.put(coordinator, gateways);
        gateways.forEach(this::add);
        Set<String> wanted = new LinkedHashSet<>(donors);
        wanted.addAll(attached);
        named.values().forEach(wanted::addAll);
        for (String gone : List.copyOf(links.keySet())) {
            ControlLink link = links.get(gone);
            if (link != null && !wanted.contains(gone)) {
                LOG.info("{} is no coordinator any more", gone);
                link.forget();
                links.remove(gone);
                byId.values().remove(gone);
                aliases.remove(gone);
            }
        }
        order();
    }

    private final class Heard implements ControlEvents {
        @Override
        public void welcomed(String coordinator, Welcome welcome) {
            events.known(coordinator, welcome.getRelayToken());
            String before = byId.put(welcome.getCoordinatorId(), coordinator);
            ControlLink older = before == null ? null : links.get(before);
            if (older != null && !before.equals(coordinator)) {
                // The same coordinator under another address: two streams would fight for one id,
                // and it keeps to the newer.
                LOG.debug("{} is {} under another name", before, coordinator);
                older.forget();
                attached.remove(before);
                aliases.add(before);
            }
            aliases.remove(coordinator);
            attached.add(coordinator);
            events.welcomed(coordinator, welcome);
            take(coordinator, welcome.getCoordinatorsList());
        }

        @Override
        public void coordinators(String coordinator, List<String> gateways) {
            take(coordinator, gateways);
        }

        @Override
        public void known(String coordinator, ByteString relayToken) {
            events.known(coordinator, relayToken);
        }

        @Override
        public void dialled(String coordinator, Optional<String> fault) {
            events.dialled(coordinator, fault);
        }

        @Override
        public void assigned(String coordinator, Assignment assignment) {
            events.assigned(coordinator, assignment);
        }

        @Override
        public void measure(String coordinator, MeasurePeers measure) {
            events.measure(coordinator, measure);
        }

        @Override
        public void revoked(String coordinator, Revocations revocations) {
            events.revoked(coordinator, revocations);
        }

        @Override
        public void detached(String coordinator, String why) {
            attached.remove(coordinator);
            named.remove(coordinator);
            order();
            events.detached(coordinator, why);
        }
    }

    /** Tells all of them that the worker is about to leave: nothing new is to come. */
    void leaving(String reason) {
        if (!thread.isShutdown()) {
            thread.execute(() -> links.values().forEach(link -> link.leaving(reason)));
        }
    }

    /** Tells all of them that the worker leaves, and waits a moment until they know. */
    void leave(String reason) {
        try {
            List<ControlLink> gone =
                    CompletableFuture.supplyAsync(
                                    () -> {
                                        links.values().forEach(link -> link.leave(reason));
                                        return new ArrayList<>(links.values());
                                    },
                                    thread)
                            .join();
            for (ControlLink link : gone) {
                link.awaitGone(GOODBYE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(GOODBYE_MILLIS, TimeUnit.MILLISECONDS)) {
                LOG.debug("the control thread is still busy");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
