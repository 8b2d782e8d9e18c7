package coop.sahkar.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Limits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchPolicyTest {
    private final BatchPolicy policy = BatchPolicy.DEFAULT;

    @ParameterizedTest
    @CsvSource({"0, 3, 1", "1, 3, 1", "3, 3, 1", "4, 3, 2", "10, 3, 4", "15, 1, 15", "7, 2, 4"})
    void aHeadFeedsItsShareSoThatEveryStageHasOne(int decoding, int stages, int rows) {
        assertThat(policy.decodeShare(decoding, stages)).isEqualTo(rows);
    }

    @ParameterizedTest
    @CsvSource({"16, 3, 4", "21, 3, 4", "22, 3, 8", "64, 3, 20", "11, 2, 4"})
    void sharesOfMoreThanFourAreWholeForTheKernels(int decoding, int stages, int rows) {
        assertThat(policy.decodeShare(decoding, stages)).isEqualTo(rows);
    }

    @ParameterizedTest
    @CsvSource({"1, 128", "2, 16", "3, 16"})
    void promptsAreJoinedOnlyWhereNoOtherStageWaits(int stages, int rows) {
        assertThat(policy.enoughPrefillRows(stages)).isEqualTo(rows);
    }

    @ParameterizedTest
    @CsvSource({"512, false, 512", "512, true, 448", "64, true, 48", "2, true, 1", "1, true, 1"})
    void decodeRowsLeaveRoomForPromptsThatWait(int maxRows, boolean prefill, int rows) {
        assertThat(policy.decodeRows(maxRows, prefill)).isEqualTo(rows);
    }

    @ParameterizedTest
    @CsvSource({"512, 0, 128", "512, 1, 64", "512, 500, 12", "64, 10, 54", "16, 16, 0"})
    void promptsTakeAChunkAtMostHoweverEmptyTheBatch(int maxRows, int decodes, int rows) {
        assertThat(policy.prefillRows(maxRows, decodes)).isEqualTo(rows);
    }

    @ParameterizedTest
    @CsvSource({
        "512, 1, 128",
        "10, 3, 16",
        "65, 3, 16",
        "512, 3, 32",
        "5000, 3, 128",
        "768, 2, 48"
    })
    void aPromptIsCutSoThatTheChunksFillThePipe(int prompt, int stages, int rows) {
        assertThat(policy.chunkRows(prompt, stages)).isEqualTo(rows);
    }

    @Test
    void aChunkFitsAFrameAtEveryWidth() {
        long bytes = (long) policy.mostChunkRows() * Limits.MAX_WIDTH * Float.BYTES;
        assertThat(bytes).isLessThanOrEqualTo(Limits.MAX_FRAME_BYTES);
        assertThat(policy.mostChunkRows()).isLessThanOrEqualTo(Limits.MAX_FRAME_POSITIONS);
    }
}
