package coop.sahkar.deploy.demo;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.deploy.bench.PartitionBench;
import coop.sahkar.deploy.bench.PartitionReport;
import coop.sahkar.deploy.e2e.NetworksHere;
import coop.sahkar.deploy.network.SmallInternet;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Three coordinators on machines of their own, between which the network breaks. */
class PartitionsIT {
    private static final int CLIENTS = 12;
    private static final Duration MOST = Duration.ofMinutes(4);

    private final List<String> steps = new CopyOnWriteArrayList<>();

    @BeforeEach
    void needsNetworks() {
        NetworksHere.orSkip("networks that break between coordinators");
    }

    /** A small campaign of {@code sahkar faults --coordinators 3 --partitions}. */
    @Test
    void whatCoordinatorsSaidCouldHaveBeenSaidByOneAndAStaleReadIsFound() throws Exception {
        try (SmallInternet internet = SmallInternet.create();
                ClusterPool pool = ClusterPool.start(Distribution.launcher(), internet)) {
            pool.add("c2");
            pool.add("c3");

            PartitionReport latest = run(pool, internet, PartitionBench.Reads.LATEST, 1);
            assertThat(latest.judgement().linearizable())
                    .as("%s%n%s", latest.table(), steps)
                    .isTrue();
            assertThat(latest.cuts()).hasSize(1);
            assertThat(latest.calls().acknowledged()).isGreaterThan(CLIENTS);
            assertThat(latest.table()).contains(": linearizable");

            PartitionReport local = run(pool, internet, PartitionBench.Reads.LOCAL, 1);
            assertThat(local.judgement().faults())
                    .as("a leader that is cut off tells the past: %s%n%s", local.table(), steps)
                    .isNotEmpty()
                    .allMatch(fault -> fault.contains(" reads "));
            assertThat(local.table()).contains("NOT LINEARIZABLE");
        }
    }

    private PartitionReport run(
            ClusterPool pool, SmallInternet internet, PartitionBench.Reads reads, int cuts)
            throws Exception {
        return new PartitionBench(pool, internet, CLIENTS, reads, new Random(cuts), steps::add)
                .run(cuts, MOST);
    }
}
