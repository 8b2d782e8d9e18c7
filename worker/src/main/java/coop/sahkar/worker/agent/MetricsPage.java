package coop.sahkar.worker.agent;

import coop.sahkar.worker.engine.StageStats;
import coop.sahkar.worker.ring.RingCounters;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * How a worker fares, as a page for Prometheus. Labels are models, blocks and phases: few values,
 * and nothing that a caller wrote.
 */
final class MetricsPage {
    private static final double MICROS_PER_SECOND = 1e6;

    private final MetricSnapshots.Builder metrics = MetricSnapshots.builder();
    private final View view;

    /**
     * What the page is made of.
     *
     * @param storedBytes disk space its shards take
     * @param storeLimitBytes disk space lent
     * @param sessions sessions that may pass through it now
     */
    record View(
            WorkerSelf self,
            long storedBytes,
            long storeLimitBytes,
            int sessions,
            RingCounters ring,
            List<ShardStatus> shards) {}

    private MetricsPage(View view) {
        this.view = view;
    }

    /**
     * A registry whose pages are made anew each time.
     *
     * @param view how the worker fares now
     */
    static PrometheusMeterRegistry registry(Supplier<View> view) {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        registry.getPrometheusRegistry().register(() -> of(view.get()));
        return registry;
    }

    static MetricSnapshots of(View view) {
        MetricsPage page = new MetricsPage(view);
        page.worker();
        page.ring();
        page.shards();
        return page.metrics.build();
    }

    private void worker() {
        WorkerSelf self = view.self();
        metrics.metricSnapshot(
                GaugeSnapshot.builder()
                        .name("sahkar_worker")
                        .help("1; its labels say who this is")
                        .dataPoint(
                                GaugeDataPointSnapshot.builder()
                                        .labels(
                                                Labels.of(
                                                        "worker", self.workerId(),
                                                        "software", self.software(),
                                                        "library", self.library()))
                                        .value(1)
                                        .build())
                        .build());
        gauge("sahkar_worker_lent_bytes", "Memory the donor lends", self.memoryBytes());
        gauge("sahkar_worker_threads", "Threads it computes with", self.threads());
        gauge("sahkar_store_bytes", "Disk space its shards take", view.storedBytes());
        gauge("sahkar_store_limit_bytes", "Disk space lent", view.storeLimitBytes());
        gauge("sahkar_sessions", "Sessions that pass through it", view.sessions());
    }

    private void ring() {
        RingCounters ring = view.ring();
        count("sahkar_ring_sent", "Messages handed to the network", ring.sent());
        count("sahkar_ring_received", "Messages read and found in order", ring.received());
        count(
                "sahkar_ring_violations",
                "Links ended as a peer broke the protocol",
                ring.violations());
        count("sahkar_ring_refused_sessions", "Sessions not let in", ring.refusedSessions());
        count("sahkar_ring_dropped", "Messages for sessions that are over", ring.dropped());
        count("sahkar_ring_broken_links", "Links that ended unasked", ring.brokenLinks());
        count(
                "sahkar_ring_refused_peers",
                "Handshakes and calls refused as the peer's certificate is wrong",
                ring.refusedPeers());
        count(
                "sahkar_ring_full_mailboxes",
                "Times reading paused as a stage was behind",
                ring.fullMailboxes());
    }

    private void shards() {
        GaugeSnapshot.Builder phases =
                GaugeSnapshot.builder()
                        .name("sahkar_shard_phase")
                        .help("1 for the phase each shard is in");
        for (ShardStatus shard : view.shards()) {
            phases.dataPoint(
                    GaugeDataPointSnapshot.builder()
                            .labels(
                                    labels(shard)
                                            .merge(
                                                    Labels.of(
                                                            "phase",
                                                            shard.phase()
                                                                    .name()
                                                                    .toLowerCase(
                                                                            java.util.Locale
                                                                                    .ROOT))))
                            .value(1)
                            .build());
        }
        metrics.metricSnapshot(phases.build());
        stage("sahkar_stage_kv_cells", "Positions its KV holds in all", StageStats::kvCells);
        stage("sahkar_stage_kv_reserved", "Positions kept for sessions", StageStats::kvReserved);
        stage("sahkar_stage_sessions", "Open sessions", StageStats::sessions);
        stage("sahkar_stage_resting", "Chats kept for their next turn", StageStats::resting);
        stage(
                "sahkar_stage_resting_cells",
                "Positions that chats kept for their next turn hold",
                StageStats::restingCells);
        stage(
                "sahkar_stage_resting_bytes",
                "Memory in which it keeps such chats outside its KV",
                StageStats::restingBytes);
        stage("sahkar_stage_queued_rows", "Rows that wait", StageStats::queuedRows);
        stage(
                "sahkar_stage_decode_seconds",
                "Mean time of a decode batch lately; 0 when idle",
                stats -> stats.decodeMicros() / MICROS_PER_SECOND);
        stage(
                "sahkar_stage_hop_p50_seconds",
                "Half of the decode rows took at most this outside of computing",
                stats -> stats.hopMicrosP50() / MICROS_PER_SECOND);
        stage(
                "sahkar_stage_hop_p99_seconds",
                "99 of 100 decode rows took at most this outside of computing",
                stats -> stats.hopMicrosP99() / MICROS_PER_SECOND);
        stage(
                "sahkar_stage_token_outside_seconds",
                "Half of the tokens of lone sessions took at most this round their route, all stages' computing left out; heads only",
                stats -> stats.loneOutsideMicros() / MICROS_PER_SECOND);
        stageCounts();
    }

    private void stageCounts() {
        stageCount("sahkar_stage_rows", "Rows computed", StageStats::rowsComputed);
        stageCount("sahkar_stage_batches", "Batches computed", StageStats::batches);
        stageCount("sahkar_stage_hops", "Decode rows that were timed", StageStats::hops);
        stageCount(
                "sahkar_stage_dropped", "Messages of no known route", StageStats::droppedMessages);
        stageCount("sahkar_stage_waited", "Frames behind a gap", StageStats::waitedFrames);
        stageCount("sahkar_stage_asked", "Times positions were asked for", StageStats::asked);
        stageCount("sahkar_stage_resent", "Frames sent again", StageStats::resentFrames);
        stageCount("sahkar_stage_repairs", "Routes renewed by this head", StageStats::repairs);
        stageCount(
                "sahkar_stage_reopened",
                "Sessions taken over to a newer route",
                StageStats::reopened);
        stageCount(
                "sahkar_stage_rows_again",
                "Rows that had been computed before",
                StageStats::rowsAgain);
        stageCount(
                "sahkar_stage_rows_reused",
                "Positions that a chat's next turn found and did not compute",
                StageStats::rowsReused);
        stageCount(
                "sahkar_stage_moved",
                "Sessions whose KV came from a worker that left",
                StageStats::moved);
        stageCount(
                "sahkar_stage_rows_moved",
                "Positions of those, which were not computed again",
                StageStats::rowsMoved);
        stageCount(
                "sahkar_stage_not_moved",
                "Sessions that took such a worker's place and computed all again",
                StageStats::notMoved);
    }

    private void gauge(String name, String help, long value) {
        metrics.metricSnapshot(
                GaugeSnapshot.builder()
                        .name(name)
                        .help(help)
                        .dataPoint(GaugeDataPointSnapshot.builder().value((double) value).build())
                        .build());
    }

    private void count(String name, String help, long value) {
        metrics.metricSnapshot(
                CounterSnapshot.builder()
                        .name(name)
                        .help(help)
                        .dataPoint(CounterDataPointSnapshot.builder().value((double) value).build())
                        .build());
    }

    private void stage(String name, String help, ToDoubleFunction<StageStats> value) {
        GaugeSnapshot.Builder all = GaugeSnapshot.builder().name(name).help(help);
        for (ShardStatus shard : view.shards()) {
            StageStats stats = shard.stats();
            if (stats != null) {
                all.dataPoint(
                        GaugeDataPointSnapshot.builder()
                                .labels(labels(shard))
                                .value(value.applyAsDouble(stats))
                                .build());
            }
        }
        metrics.metricSnapshot(all.build());
    }

    private void stageCount(String name, String help, ToLongFunction<StageStats> value) {
        CounterSnapshot.Builder all = CounterSnapshot.builder().name(name).help(help);
        for (ShardStatus shard : view.shards()) {
            StageStats stats = shard.stats();
            if (stats != null) {
                all.dataPoint(
                        CounterDataPointSnapshot.builder()
                                .labels(labels(shard))
                                .value((double) value.applyAsLong(stats))
                                .build());
            }
        }
        metrics.metricSnapshot(all.build());
    }

    private static Labels labels(ShardStatus shard) {
        return Labels.of("model", shard.key().modelId(), "blocks", shard.key().span().toString());
    }
}
