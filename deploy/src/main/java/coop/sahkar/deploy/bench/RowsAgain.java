package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.demo.DemoPool;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.v1.ShardReport;
import coop.sahkar.proto.v1.WorkerStatus;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * How many rows each shard has computed again, as its worker last reported.
 *
 * @param ofShards by worker and span
 */
record RowsAgain(Map<String, Long> ofShards) {

    /** What the pool has reported until now. */
    static RowsAgain of(DemoPool pool) {
        Map<String, Long> rows = new TreeMap<>();
        for (WorkerStatus worker : pool.workers()) {
            String id = worker.getHello().getWorkerId();
            for (ShardReport shard : worker.getShardsList()) {
                Span span = new Span(shard.getSpan().getFirst(), shard.getSpan().getEnd());
                rows.put(key(id, span), shard.getRowsAgain());
            }
        }
        return new RowsAgain(rows);
    }

    /** What came to it since; of shards that were there before. */
    RowsAgain since(RowsAgain before) {
        Map<String, Long> rows = new TreeMap<>();
        ofShards.forEach((shard, now) -> {
            Long then = before.ofShards.get(shard);
            rows.put(shard, then == null || then > now ? now : now - then);
        });
        return new RowsAgain(rows);
    }

    /** Those of stages of a route whose workers were not lost. */
    long ofSurvivors(List<RouteStage> route, Set<String> lost) {
        return route.stream()
                .filter(stage -> !lost.contains(stage.workerId()))
                .mapToLong(stage -> ofShards.getOrDefault(key(stage.workerId(), stage.span()), 0L))
                .sum();
    }

    long all() {
        return ofShards.values().stream().mapToLong(Long::longValue).sum();
    }

    private static String key(String worker, Span span) {
        return worker + " " + span;
    }
}
