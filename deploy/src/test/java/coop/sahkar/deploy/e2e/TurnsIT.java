package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.deploy.bench.TurnsBench;
import coop.sahkar.deploy.demo.Distribution;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The second turn of a chat on real workers: said sooner, and the same as without the first. */
class TurnsIT {
    private static final int HISTORY_WORDS = 150;

    @TempDir private static Path scratch = Path.of("");

    @Test
    void aChatGoesOnWhereItEnded() throws Exception {
        try (TestPool pool = TestPool.serving(scratch, Distribution.bundledModel(), 3, 3)) {
            TurnsBench.Result result =
                    new TurnsBench(pool.client(), pool.model()).run(HISTORY_WORDS, 5);
            System.out.printf("second turns: %s, %.1f times sooner%n", result, result.ratio());
            assertThat(result.sameText()).isTrue();
            assertThat(result.promptTokens()).isGreaterThan(HISTORY_WORDS);
            assertThat(result.ratio()).isGreaterThan(1);
        }
    }
}
