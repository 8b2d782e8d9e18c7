package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LlamaLogTest {
    private static final int INFO = 2;
    private static final int ERROR = 4;
    private static final int CONTINUED = 5;

    private final LlamaLog log = new LlamaLog();

    @Test
    void joinsThePartsOfALine() {
        log.append(ERROR, "cannot open ");
        log.append(CONTINUED, "the file");
        log.append(CONTINUED, "\n");
        log.append(INFO, "something else\n");
        assertThat(log.errors()).isEqualTo("cannot open the file");
    }

    @Test
    void cutsTextAtItsLineEnds() {
        log.append(ERROR, "one\ntwo\n\nthree");
        assertThat(log.errors()).isEqualTo("one; two; three");
    }

    @Test
    void keepsErrorsUntilTheyAreForgottenAndNotWithoutBound() {
        for (int i = 0; i < 1000; i++) {
            log.append(ERROR, "again and again and again\n");
        }
        assertThat(log.errors()).hasSizeLessThan(700).endsWith("…");
        log.forgetErrors();
        assertThat(log.errors()).isEmpty();
    }

    @Test
    void informationIsNoError() {
        log.append(INFO, "loaded\n");
        assertThat(log.errors()).isEmpty();
    }
}
