package coop.sahkar.coordinator.routing;

import java.util.Comparator;

/**
 * An offer with its price.
 *
 * @param micros what it costs a token
 */
record StageNode(StageOffer offer, long micros) {
    static final Comparator<StageNode> CHEAPEST =
            Comparator.comparingLong(StageNode::micros)
                    .thenComparing(node -> node.offer().workerId());
}
