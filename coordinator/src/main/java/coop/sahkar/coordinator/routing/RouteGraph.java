package coop.sahkar.coordinator.routing;

import coop.sahkar.proto.Limits;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The stages of one model and the ways between them, laid out so that one head after another can be
 * tried. Since no worker may stand twice in a route, and the shortest way to a stage may use one
 * that is needed later, the few best ways to each stage are kept where a worker has several shards;
 * elsewhere one is enough, and exact. Owned by one thread.
 */
final class RouteGraph {
    /** Ways kept to each stage where a worker offers several. */
    private static final int WAYS_KEPT = 8;

    private final int blockCount;
    private final List<StageNode> nodes;
    private final Distances distances;
    private final int[][] next;
    private final long[][] nextMicros;
    private final int kept;

    /** A way from the head to a stage, that one included. */
    record Way(long micros, StageNode node, @Nullable Way before, int length) {
        boolean uses(String workerId) {
            for (Way way = this; way != null; way = way.before) {
                if (way.node.offer().workerId().equals(workerId)) {
                    return true;
                }
            }
            return false;
        }

        List<StageOffer> stages() {
            List<StageOffer> stages = new ArrayList<>(length);
            for (Way way = this; way != null; way = way.before) {
                stages.add(way.node.offer());
            }
            return stages.reversed();
        }

        String names() {
            return String.join(" ", stages().stream().map(StageOffer::workerId).toList());
        }
    }

    /**
     * @param nodes by their first block, ascending
     */
    RouteGraph(int blockCount, List<StageNode> nodes, Distances distances) {
        this.blockCount = blockCount;
        this.nodes = nodes;
        this.distances = distances;
        this.next = new int[nodes.size()][];
        this.nextMicros = new long[nodes.size()][];
        long workers = nodes.stream().map(node -> node.offer().workerId()).distinct().count();
        this.kept = workers == nodes.size() ? 1 : WAYS_KEPT;
        int[] firstAt = firstAt();
        for (int i = 0; i < nodes.size(); i++) {
            connect(i, firstAt);
        }
    }

    /** Index of the first node whose span begins at a block or behind it, for every block. */
    private int[] firstAt() {
        int[] firstAt = new int[blockCount + 1];
        int node = 0;
        for (int block = 0; block <= blockCount; block++) {
            while (node < nodes.size() && nodes.get(node).offer().span().first() < block) {
                node++;
            }
            firstAt[block] = node;
        }
        return firstAt;
    }

    private void connect(int from, int[] firstAt) {
        StageOffer offer = nodes.get(from).offer();
        int end = offer.span().end();
        int first = firstAt[end];
        int count = end == blockCount ? 0 : firstAt[end + 1] - first;
        next[from] = new int[count];
        nextMicros[from] = new long[count];
        for (int i = 0; i < count; i++) {
            StageNode to = nodes.get(first + i);
            next[from][i] = first + i;
            nextMicros[from][i] = to.micros() + distances.micros(offer, to.offer());
        }
    }

    /** The best whole route that begins with this head. */
    Optional<Way> bestFrom(StageNode head) {
        List<List<Way>> ways = new ArrayList<>(Collections.nCopies(nodes.size(), List.of()));
        ways.set(nodes.indexOf(head), List.of(new Way(head.micros(), head, null, 1)));
        Way best = null;
        for (int i = 0; i < nodes.size(); i++) {
            boolean tail = nodes.get(i).offer().span().end() == blockCount;
            for (Way way : ways.get(i)) {
                if (tail) {
                    best = better(best, closed(way, head));
                } else {
                    extend(ways, i, way);
                }
            }
        }
        return Optional.ofNullable(best);
    }

    private void extend(List<List<Way>> ways, int from, Way way) {
        if (way.length() == Limits.MAX_STAGES) {
            return;
        }
        for (int k = 0; k < next[from].length; k++) {
            int to = next[from][k];
            StageNode node = nodes.get(to);
            long micros = way.micros() + nextMicros[from][k];
            List<Way> known = ways.get(to);
            boolean helps = known.size() < kept || micros < known.getLast().micros();
            if (helps && (kept == 1 || !way.uses(node.offer().workerId()))) {
                ways.set(to, with(known, new Way(micros, node, way, way.length() + 1)));
            }
        }
    }

    private List<Way> with(List<Way> known, Way more) {
        if (kept == 1) {
            return List.of(more);
        }
        List<Way> all = new ArrayList<>(known);
        all.add(more);
        all.sort(Comparator.comparingLong(Way::micros));
        return all.size() > kept ? all.subList(0, kept) : all;
    }

    /** With the way of the token from the tail back to the head. */
    private Way closed(Way way, StageNode head) {
        if (way.length() == 1) {
            return way;
        }
        long back = distances.micros(way.node().offer(), head.offer());
        return new Way(way.micros() + back, way.node(), way.before(), way.length());
    }

    private static Way better(@Nullable Way one, Way other) {
        return one == null || other.micros() < one.micros() ? other : one;
    }
}
