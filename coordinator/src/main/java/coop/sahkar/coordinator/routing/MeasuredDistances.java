package coop.sahkar.coordinator.routing;

import coop.sahkar.coordinator.liveness.LatencyTable;

/** Distances as workers measured them, or as they are estimated from that. */
public record MeasuredDistances(LatencyTable table, long nowMillis) implements Distances {
    /** One way between workers of one machine whose distance nobody has measured yet. */
    static final long SAME_HOST_MICROS = 100;

    @Override
    public long micros(StageOffer from, StageOffer to) {
        LatencyTable.Way way = table.way(from.workerId(), to.workerId(), nowMillis);
        if (!way.reachable()) {
            return UNREACHABLE_MICROS;
        }
        boolean guess = !way.measured() && host(from).equals(host(to));
        return guess ? SAME_HOST_MICROS : way.micros();
    }

    private static String host(StageOffer offer) {
        String endpoint = offer.endpoint();
        int colon = endpoint.lastIndexOf(':');
        return colon < 0 ? endpoint : endpoint.substring(0, colon);
    }
}
