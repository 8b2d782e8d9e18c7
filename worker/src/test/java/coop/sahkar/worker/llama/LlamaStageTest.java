package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import coop.sahkar.worker.engine.ParkedKv;
import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LlamaStageTest {
    private static final int ROWS = 32;

    static Stream<LlamaLibrary> libraries() {
        return TestModels.libraries();
    }

    private static Rows rows(Arena arena, LlamaStage stage) {
        return new Rows(arena, ROWS, stage.shape().width());
    }

    /** Appends positions {@code [from, end)} of a fixed text and answers the last one's logits. */
    private static float[] feed(LlamaStage stage, Rows rows, int sequence, int from, int end)
            throws StageException {
        int last = -1;
        for (int at = from; at < end; ) {
            rows.clear();
            for (; at < end && rows.count() < ROWS; at++) {
                last = rows.add(token(at), at, sequence, at == end - 1);
            }
            stage.compute(rows);
        }
        return stage.logits(last).toArray(ValueLayout.JAVA_FLOAT);
    }

    private static int token(int position) {
        return 20 + position * 7919 % 1500;
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void truncatedPositionsAreForgotten(LlamaLibrary library) throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(128, 1, ROWS))) {
            Rows rows = rows(arena, stage);
            feed(stage, rows, 0, 0, 10);
            float[] once = feed(stage, rows, 0, 10, 20);
            stage.truncate(0, 10);
            assertThat(feed(stage, rows, 0, 10, 20)).isEqualTo(once);
        }
    }

    /**
     * Why an answer may turn after a repair: what one stage computed token by token its successor
     * computes in wide batches, whose kernels add up in another order. The same widths give the
     * same bits; others give logits that differ by rounding, which turns an even choice.
     */
    @ParameterizedTest
    @MethodSource("libraries")
    void theWidthOfBatchesRoundsLogitsAndNothingElseDoes(LlamaLibrary library)
            throws StageException {
        assumeThat(System.getProperty("os.arch")).as("kernels of x86-64").isEqualTo("amd64");
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(128, 1, ROWS))) {
            Rows rows = rows(arena, stage);
            float[] wide = feed(stage, rows, 0, 0, ROWS);
            stage.truncate(0, 0);
            assertThat(feed(stage, rows, 0, 0, ROWS)).isEqualTo(wide);
            stage.truncate(0, 0);
            float[] narrow = oneByOne(stage, rows);
            stage.truncate(0, 0);
            assertThat(oneByOne(stage, rows)).isEqualTo(narrow);

            assertThat(narrow).isNotEqualTo(wide).containsExactly(wide, within(0.1f));
        }
    }

    private static float[] oneByOne(LlamaStage stage, Rows rows) throws StageException {
        feed(stage, rows, 0, 0, 1);
        for (int at = 1; at < ROWS - 1; at++) {
            feed(stage, rows, 0, at, at + 1);
        }
        return feed(stage, rows, 0, ROWS - 1, ROWS);
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void aSharedPrefixIsAsGoodAsAnOwnOne(LlamaLibrary library) throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(256, 3, ROWS))) {
            Rows rows = rows(arena, stage);
            feed(stage, rows, 0, 0, 30);
            float[] own = feed(stage, rows, 0, 30, 31);
            stage.copyPrefix(0, 2, 30);
            assertThat(feed(stage, rows, 2, 30, 31)).isEqualTo(own);
            stage.truncate(0, 0);
            stage.truncate(2, 25);
            float[] after = feed(stage, rows, 2, 25, 31);
            assertThat(after).hasSameSizeAs(own).doesNotContain(Float.NaN);
            assertThatThrownBy(() -> stage.copyPrefix(0, 1, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> stage.copyPrefix(2, 2, 5))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void aRowThatDoesNotComeLeavesEverythingAsItWas(LlamaLibrary library) throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(128, 2, ROWS))) {
            Rows rows = rows(arena, stage);
            feed(stage, rows, 0, 0, 10);
            float[] next = feed(stage, rows, 0, 10, 11);
            stage.truncate(0, 10);

            assertThat(stage.anticipate(0, _ -> false, _ -> {})).isFalse();
            assertThatThrownBy(() -> stage.anticipate(0, LlamaStageTest::noToken, _ -> {}))
                    .isInstanceOf(StageException.class)
                    .hasMessageContaining("token -1");
            assertThatThrownBy(() -> stage.anticipate(0, _ -> touches(stage), _ -> {}))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("under way");
            assertThat(feed(stage, rows, 0, 10, 11)).isEqualTo(next);
            assertThat(feed(stage, rows, 1, 0, 1)).doesNotContain(Float.NaN);
        }
    }

    private static boolean noToken(Rows row) {
        row.token[0] = -1;
        return true;
    }

    private static boolean touches(LlamaStage stage) {
        stage.truncate(0, 5);
        return true;
    }

    /** Another stage of the process computes while one waits for its input. */
    @ParameterizedTest
    @MethodSource("libraries")
    void whoeverWaitsForARowHoldsNobodyUp(LlamaLibrary library) throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(128, 1, ROWS))) {
            float[] alone = feed(stage, rows(arena, stage), 0, 0, 1);
            stage.truncate(0, 0);
            float[][] other = new float[1][];
            boolean computed =
                    stage.anticipate(
                            0,
                            row -> {
                                row.token[0] = token(0);
                                other[0] = CompletableFuture.supplyAsync(() -> first(model)).join();
                                return true;
                            },
                            _ -> {});
            assertThat(computed).isTrue();
            assertThat(stage.logits(0).toArray(ValueLayout.JAVA_FLOAT))
                    .isEqualTo(alone)
                    .isEqualTo(other[0]);
        }
    }

    private static float[] first(LlamaModel model) {
        try (Arena arena = Arena.ofConfined();
                LlamaStage other = model.openWhole(TestModels.options(128, 1, ROWS))) {
            return feed(other, rows(arena, other), 0, 0, 1);
        } catch (StageException e) {
            throw new CompletionException(e);
        }
    }

    /** Into another sequence, and after others were where it was. */
    @ParameterizedTest
    @MethodSource("libraries")
    void whatWasParkedComesBackToTheLastBit(LlamaLibrary library) throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(128, 3, ROWS))) {
            Rows rows = rows(arena, stage);
            feed(stage, rows, 0, 0, 30);
            float[] own = feed(stage, rows, 0, 30, 31);
            stage.truncate(0, 30);
            try (ParkedKv parked = parked(stage, 0)) {
                assertThat(parked.positions()).isEqualTo(30);
                assertThat(feed(stage, rows, 1, 0, 40)).doesNotContain(Float.NaN);
                stage.truncate(1, 0);
                assertThat(stage.unpark(parked, 2)).isTrue();
                assertThat(feed(stage, rows, 2, 30, 31)).isEqualTo(own);
                stage.truncate(2, 20);
                assertThat(stage.unpark(parked, 0)).isTrue();
            }
            assertThat(feed(stage, rows, 0, 30, 31)).containsExactly(own, within(0.01f));
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void whatIsParkedTakesNoRoomAndComesBackOnlyWhereThereIsSome(LlamaLibrary library)
            throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(128, 2, ROWS))) {
            Rows rows = rows(arena, stage);
            int cells = stage.shape().kvCells();
            assertThat(stage.park(0, Long.MAX_VALUE)).as("of nothing").isNull();
            feed(stage, rows, 0, 0, 30);
            assertThat(stage.park(0, 1000)).as("in too little memory").isNull();
            try (ParkedKv parked = parked(stage, 0)) {
                feed(stage, rows, 1, 0, cells);
                assertThat(stage.unpark(parked, 0)).isFalse();
                stage.truncate(1, cells - 20);
                assertThat(stage.unpark(parked, 0)).isFalse();
                assertThat(feed(stage, rows, 0, 0, 20)).doesNotContain(Float.NaN);
                assertThatThrownBy(() -> stage.unpark(parked, 0))
                        .isInstanceOf(IllegalArgumentException.class);
                stage.truncate(0, 0);
                stage.truncate(1, 0);
                assertThat(stage.unpark(parked, 0)).isTrue();
            }
        }
    }

    /** As a worker that leaves hands it to the one that takes its place. */
    @ParameterizedTest
    @MethodSource("libraries")
    void whatAnotherStageParkedIsTakenToTheLastBitAndNothingElse(LlamaLibrary library)
            throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage from = model.openWhole(TestModels.options(128, 2, ROWS));
                LlamaStage to = model.openWhole(TestModels.options(256, 3, ROWS))) {
            Rows rows = rows(arena, from);
            feed(from, rows, 1, 0, 12);
            feed(from, rows, 0, 0, 30);
            float[] own = feed(from, rows, 0, 30, 31);
            from.truncate(0, 30);
            assertThat(to.kvFormat()).isEqualTo(from.kvFormat()).contains(library.release());
            byte[] state;
            try (ParkedKv parked = parked(from, 0)) {
                state = new byte[(int) parked.bytes()];
                int half = state.length / 2;
                parked.piece(0, half).get(state, 0, half);
                parked.piece(half, state.length - half).get(state, half, state.length - half);
            }
            for (int cut : new int[] {1, 1000, state.length - 1}) {
                assertRefused(to, 30, Arrays.copyOf(state, cut));
            }
            assertRefused(to, 30, Arrays.copyOf(state, state.length + 1));
            assertRefused(to, 29, state);
            assertRefused(to, 31, state);
            Random random = new Random(6);
            for (int at = 0; at < 3 * Integer.BYTES; at++) {
                byte[] lie = state.clone();
                lie[at] ^= (byte) (1 + random.nextInt(255));
                assertRefused(to, 30, lie);
            }
            try (ParkedKv adopted = adopted(to, 30, state)) {
                assertThat(to.unpark(adopted, 2)).isTrue();
            }
            assertThat(feed(to, rows(arena, to), 2, 30, 31)).isEqualTo(own);
        }
    }

    /** It is refused before or after llama.cpp has looked at it, and leaves nothing behind. */
    private static void assertRefused(LlamaStage stage, int positions, byte[] state) {
        try (ParkedKv adopted = stage.adopt(positions, List.of(ByteBuffer.wrap(state)))) {
            assertThat(adopted != null && stage.unpark(adopted, 2)).isFalse();
        }
        assertThat(stage.park(2, Long.MAX_VALUE)).isNull();
    }

    private static ParkedKv adopted(LlamaStage stage, int positions, byte[] state) {
        ByteBuffer one = ByteBuffer.wrap(state, 0, 100).slice();
        ByteBuffer two = ByteBuffer.wrap(state, 100, state.length - 100).slice();
        return Objects.requireNonNull(stage.adopt(positions, List.of(one, two)));
    }

    private static ParkedKv parked(LlamaStage stage, int sequence) {
        return Objects.requireNonNull(stage.park(sequence, Long.MAX_VALUE));
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void aFullCacheGetsASentenceAndSpoilsNothing(LlamaLibrary library) throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(ROWS, 2, ROWS))) {
            Rows rows = rows(arena, stage);
            int cells = stage.shape().kvCells();
            feed(stage, rows, 0, 0, cells - 1);
            assertThatThrownBy(() -> feed(stage, rows, 1, 0, 5))
                    .isInstanceOf(StageException.class)
                    .hasMessageContaining("no room for 5 more");
            assertThat(feed(stage, rows, 0, cells - 1, cells)).doesNotContain(Float.NaN);
            stage.truncate(0, 0);
            assertThat(feed(stage, rows, 1, 0, 5)).doesNotContain(Float.NaN);
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void aFragmentedCacheTakesALongBatchAllTheSame(LlamaLibrary library) throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(256, 64, ROWS))) {
            Rows rows = rows(arena, stage);
            int cells = stage.shape().kvCells();
            for (int sequence = 0; sequence < 64; sequence++) {
                feed(stage, rows, sequence, 0, cells / 64);
            }
            for (int sequence = 0; sequence < 64; sequence += 2) {
                stage.truncate(sequence, 0);
            }
            assertThat(feed(stage, rows, 0, 0, ROWS)).doesNotContain(Float.NaN);
            assertThat(feed(stage, rows, 1, cells / 64, cells / 64 + 5)).doesNotContain(Float.NaN);
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void onlyWantedRowsHaveLogits(LlamaLibrary library) throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(128, 2, ROWS))) {
            Rows rows = rows(arena, stage);
            rows.add(token(0), 0, 0, false);
            rows.add(token(0), 0, 1, true);
            rows.add(token(1), 1, 0, true);
            stage.compute(rows);
            assertThat(stage.logits(1).byteSize()).isEqualTo(1536 * 4);
            assertThat(stage.logits(1).toArray(ValueLayout.JAVA_FLOAT))
                    .isNotEqualTo(stage.logits(2).toArray(ValueLayout.JAVA_FLOAT));
            for (int row : new int[] {0, 3, -1, Integer.MAX_VALUE}) {
                assertThatThrownBy(() -> stage.logits(row))
                        .isInstanceOf(IllegalArgumentException.class);
            }
            rows.clear();
            rows.add(token(2), 2, 0, false);
            stage.compute(rows);
            assertThatThrownBy(() -> stage.logits(0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(stage::hiddenStates).isInstanceOf(IllegalStateException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void wrongRowsAreRefusedBeforeTheLibrarySeesThem(LlamaLibrary library) throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(library, TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(128, 2, 8))) {
            Rows rows = rows(arena, stage);
            refused(stage, rows, "a batch of 0 rows");
            rows.add(1536, 0, 0, true);
            refused(stage, rows, "token 1536");
            rows.clear();
            rows.add(-1, 0, 0, true);
            refused(stage, rows, "token -1");
            rows.clear();
            rows.add(1, 0, 2, true);
            refused(stage, rows, "sequence 2");
            rows.clear();
            rows.add(1, 0, -1, true);
            refused(stage, rows, "sequence -1");
            rows.clear();
            rows.add(1, 1, 0, true);
            refused(stage, rows, "position 0 comes next");
            rows.clear();
            rows.add(1, 0, 0, true);
            rows.add(1, 0, 0, true);
            refused(stage, rows, "position 1 comes next");
            rows.clear();
            for (int at = 0; at < 9; at++) {
                rows.add(1, at, 0, true);
            }
            refused(stage, rows, "a batch of 9 rows");
            assertThat(feed(stage, new Rows(arena, 8, 256), 0, 0, 3)).doesNotContain(Float.NaN);
        }
    }

    private static void refused(LlamaStage stage, Rows rows, String sentence) {
        assertThatThrownBy(() -> stage.compute(rows))
                .isInstanceOf(StageException.class)
                .hasMessageContaining(sentence);
    }

    @Test
    void anotherThreadIsRefused() throws StageException {
        try (Arena arena = Arena.ofShared();
                LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0);
                LlamaStage stage = model.openWhole(TestModels.options(128, 2, ROWS))) {
            Rows rows = rows(arena, stage);
            rows.add(1, 0, 0, true);
            assertThatThrownBy(() -> elsewhere(() -> stage.compute(rows)))
                    .isInstanceOf(WrongThreadException.class);
            assertThatThrownBy(() -> elsewhere(() -> stage.truncate(0, 0)))
                    .isInstanceOf(WrongThreadException.class);
            assertThatThrownBy(() -> elsewhere(stage::close))
                    .isInstanceOf(WrongThreadException.class);
            stage.compute(rows);
        }
    }

    private interface Action {
        void run() throws StageException;
    }

    private static void elsewhere(Action action) {
        try {
            CompletableFuture.runAsync(
                            () -> {
                                try {
                                    action.run();
                                } catch (StageException e) {
                                    throw new CompletionException(e);
                                }
                            })
                    .join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    @Test
    void afterCloseEverythingThrowsAndNothingCrashes() throws StageException {
        try (Arena arena = Arena.ofConfined();
                LlamaModel model = LlamaModel.load(TestModels.bundled(), TestModels.tiny(), 0)) {
            LlamaStage stage = model.openWhole(TestModels.options(128, 2, ROWS));
            Rows rows = rows(arena, stage);
            rows.add(1, 0, 0, true);
            stage.compute(rows);
            var logits = stage.logits(0);
            var sampler = stage.sampler(TestModels.greedy());
            stage.close();
            stage.close();
            assertThatThrownBy(() -> stage.compute(rows)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> stage.logits(0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> stage.truncate(0, 0))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> sampler.sample(logits, 1, new int[1]))
                    .isInstanceOf(IllegalStateException.class);
            sampler.close();
            sampler.close();
        }
    }

    @Test
    void optionsThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> TestModels.options(0, 1, 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> TestModels.options(8, 1, 9))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxRows");
        assertThatThrownBy(() -> new StageOptions(1, 64, 1, 8, StageOptions.KvType.F32, true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("flash attention");
    }
}
