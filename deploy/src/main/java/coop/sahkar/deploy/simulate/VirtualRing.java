package coop.sahkar.deploy.simulate;

import coop.sahkar.worker.engine.StageMessage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** The network between workers: who is linked with whom, and what is cut. */
final class VirtualRing {
    /** How often a loose network delivers late or twice. */
    private static final double LOOSE = 0.01;

    private final World world;
    private final Carrier carrier;
    private final Chance chance;
    private final boolean loose;
    private final Map<String, VirtualLink> links = new LinkedHashMap<>();

    /** Pairs that are cut one way, and how often. */
    private final SortedMap<String, Integer> cuts = new TreeMap<>();

    VirtualRing(World world, Carrier carrier, Chance chance) {
        this.world = world;
        this.carrier = carrier;
        this.chance = chance;
        this.loose = chance.happens(0.5);
    }

    /** Sends a message to a worker by its id, whoever that may be by now. */
    void send(VirtualWorker from, String toId, StageMessage message) {
        StageMessage carried = carrier.carry(message);
        VirtualWorker to = world.worker(toId);
        if (carried == null) {
            return;
        }
        if (to == null) {
            world.agenda().after(1 + chance.below(100), () -> lost(from, toId, "it is not found"));
        } else {
            link(from, to).send(carried);
        }
    }

    private VirtualLink link(VirtualWorker from, VirtualWorker to) {
        return links.computeIfAbsent(
                name(from, to), _ -> new VirtualLink(from, to, this, chance.split()));
    }

    private static String name(VirtualWorker from, VirtualWorker to) {
        return from.id + ">" + to.id;
    }

    /** Tells a worker that its link with another broke. */
    void tell(VirtualWorker whom, VirtualWorker lost, String why) {
        world.agenda().after(chance.below(20), () -> lost(whom, lost.id, why));
    }

    private static void lost(VirtualWorker whom, String lostId, String why) {
        if (whom.up()) {
            whom.whenAwake(() -> whom.ring().peerLost(lostId, why));
        }
    }

    /** Whether what one sends does not reach the other now. */
    boolean cut(VirtualWorker from, VirtualWorker to) {
        return from.apart() != to.apart() || cuts.containsKey(name(from, to));
    }

    /** Cuts one direction between two workers. */
    void cutOneWay(VirtualWorker from, VirtualWorker to) {
        cuts.merge(name(from, to), 1, Integer::sum);
        around(from, to).forEach(VirtualLink::silent);
    }

    /** Undoes it. */
    void healOneWay(VirtualWorker from, VirtualWorker to) {
        cuts.computeIfPresent(name(from, to), (_, count) -> count > 1 ? count - 1 : null);
        around(from, to).forEach(VirtualLink::healed);
    }

    private List<VirtualLink> around(VirtualWorker from, VirtualWorker to) {
        return List.of(link(from, to), link(to, from));
    }

    /** Breaks the connections between two workers that are both well. */
    void reset(VirtualWorker from, VirtualWorker to) {
        around(from, to).forEach(VirtualLink::reset);
    }

    /** Who is apart from whom has changed. */
    void parted() {
        for (VirtualLink link : List.copyOf(links.values())) {
            if (cut(link.from, link.to)) {
                link.silent();
            } else {
                link.healed();
            }
        }
    }

    /** A worker was stopped. */
    void fellAsleep(VirtualWorker worker) {
        links.values().stream().filter(l -> touches(l, worker)).forEach(VirtualLink::silent);
    }

    /** A worker goes on. */
    void woke(VirtualWorker worker) {
        links.values().stream().filter(l -> l.to == worker).toList().forEach(VirtualLink::deliver);
    }

    /**
     * A worker died.
     *
     * @param closing whether its connections are closed, or fall silent
     */
    void died(VirtualWorker worker, boolean closing) {
        for (VirtualLink link : List.copyOf(links.values())) {
            if (link.from == worker) {
                link.forgot();
            }
            if (touches(link, worker)) {
                link.ended(
                        closing
                                ? chance.between(1, 100)
                                : VirtualLink.SILENCE_MILLIS - chance.below(5000));
            }
        }
    }

    /** A worker will not come back. */
    void forget(VirtualWorker worker) {
        links.values().removeIf(link -> touches(link, worker) && !link.open());
    }

    private static boolean touches(VirtualLink link, VirtualWorker worker) {
        return link.from == worker || link.to == worker;
    }

    /** The most messages that wait at an end of a link. */
    int mostWaiting() {
        return links.values().stream().mapToInt(VirtualLink::waiting).max().orElse(0);
    }

    /** Whether this message comes late, or twice. */
    boolean loose(Chance of) {
        return loose && of.happens(LOOSE);
    }

    long nowMillis() {
        return world.nowMillis();
    }

    void at(long millis, Runnable what) {
        world.agenda().at(millis, what);
    }

    void after(long millis, Runnable what) {
        world.agenda().after(millis, what);
    }
}
