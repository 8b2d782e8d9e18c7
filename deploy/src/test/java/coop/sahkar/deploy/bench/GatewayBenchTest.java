package coop.sahkar.deploy.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Many streams at once through a real gateway: what must hold on any machine, however slow. */
class GatewayBenchTest {
    private static final GatewayBench.Plan PLAN = new GatewayBench.Plan(100, 5, 6, 10);

    /** What the kernel keeps for one connection, at both ends, and the gateway itself. */
    private static final long MOST_HELD_BACK_BYTES = 16L * 1024 * 1024;

    /** It tells of every answer that is given up half sent, with a stack trace. */
    private static final Logger GRPC = Logger.getLogger("io.grpc");

    @BeforeAll
    static void silence() {
        GRPC.setLevel(Level.OFF);
    }

    @AfterAll
    static void speak() {
        GRPC.setLevel(null);
    }

    @Test
    void aHundredReadersGetEveryTokenOnceBesideSomeThatTakeNothing() throws Exception {
        GatewayFigures figures;
        try (GatewayBench bench = new GatewayBench(PLAN, _ -> {})) {
            figures = bench.run();
        }
        assertThat(figures.faults()).isEmpty();
        assertThat(figures.many().whole()).isEqualTo(PLAN.connections());
        assertThat(figures.besideSlow().whole()).isEqualTo(PLAN.connections());
        assertThat(figures.besideSlow().tokens())
                .isEqualTo(PLAN.connections() * (PLAN.tokens() - 1));
        assertThat(figures.heldBackBytes()).isBetween(1L, MOST_HELD_BACK_BYTES);
    }
}
