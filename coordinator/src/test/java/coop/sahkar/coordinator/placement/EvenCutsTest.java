package coop.sahkar.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.coordinator.state.ModelFootprint;
import coop.sahkar.coordinator.state.Placement;
import coop.sahkar.proto.Cuts;
import coop.sahkar.proto.LlamaRelease;
import coop.sahkar.proto.ShardBuffers;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Equal workers get equal parts of models whose output matrix weighs as much as one to three
 * blocks: it is worth hardly one to those who compute.
 */
class EvenCutsTest {
    private static final int KV = 1024;

    /** Bytes of matrices in Q4_0: 4.5 bits an element. */
    private static long bytes(long elements) {
        return elements * 9 / 16;
    }

    @ParameterizedTest
    @CsvSource({"3, 1000", "3, 10000", "3, 100000", "6, 10000", "12, 10000", "20, 10000"})
    void ofThe160M(int workers, long megabytesPerSecond) {
        long block = bytes(4 * 768 * 768 + 3 * 768 * 3072);
        assertThat(lengths(12, block, bytes(32_000 * 768), 3, workers, megabytesPerSecond))
                .containsExactly(4, 4, 4);
    }

    @ParameterizedTest
    @CsvSource({"3, 1000", "3, 10000", "3, 100000", "6, 10000", "20, 10000"})
    void ofThe1Point1B(int workers, long megabytesPerSecond) {
        long block = bytes(2 * 2048 * 2048 + 2 * 2048 * 256 + 3 * 2048 * 5632);
        assertThat(lengths(22, block, bytes(32_000 * 2048), 3, workers, megabytesPerSecond))
                .containsExactlyInAnyOrder(7, 7, 8)
                .last()
                .isEqualTo(7);
    }

    /** Lengths of the spans held, each span once, in order. */
    private static List<Integer> lengths(
            int blocks, long block, long output, int stages, int workers, long megabytesPerSecond) {
        ModelFootprint footprint =
                new ModelFootprint(
                        Collections.nCopies(blocks, block),
                        output,
                        output,
                        false,
                        4096,
                        3072,
                        ShardBuffers.of(768, 32_000, 12));
        PlanModel model =
                new PlanModel(
                        "m@1",
                        "m",
                        footprint,
                        new Cuts(blocks, 1),
                        LlamaRelease.B4916,
                        stages,
                        true,
                        1);
        List<PlanWorker> pool = new ArrayList<>();
        for (int i = 0; i < workers; i++) {
            long speed = megabytesPerSecond * 1_000_000;
            pool.add(new PlanWorker("w" + i, 2_000_000_000L, speed, LlamaRelease.B4916));
        }
        Plan plan = Planner.plan(new PlanView(pool, List.of(model), Placement.EMPTY, KV, KV));
        return plan.assignments().values().stream()
                .flatMap(List::stream)
                .map(shard -> shard.span())
                .distinct()
                .sorted()
                .map(span -> span.length())
                .toList();
    }
}
