package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.TokenSampler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LlamaSamplerTest {
    private static final int DRAWS = 20_000;
    private static final int[] NO_HISTORY = new int[DRAWS];
    private static final float[] LOGITS = {1f, 2f, 0.5f, 3f, -1f, 2.5f, 0f, 1.5f};

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void closeArena() {
        arena.close();
    }

    static Stream<LlamaLibrary> libraries() {
        return TestModels.libraries();
    }

    /** A {@link Sampling} by parts; starts as plain sampling at temperature 1. */
    private record Choice(
            float temperature,
            int topK,
            float topP,
            float minP,
            float typicalP,
            float repetition,
            float frequency,
            float presence,
            int window,
            SortedMap<Integer, Float> bias,
            long seed) {
        static final Choice PLAIN = new Choice(1, 0, 1, 0, 1, 1, 0, 0, 64, new TreeMap<>(), 42);

        Sampling sampling() {
            return new Sampling(
                    temperature,
                    topK,
                    topP,
                    minP,
                    typicalP,
                    repetition,
                    frequency,
                    presence,
                    window,
                    bias,
                    seed);
        }

        Choice temperature(float value) {
            return new Choice(
                    value,
                    topK,
                    topP,
                    minP,
                    typicalP,
                    repetition,
                    frequency,
                    presence,
                    window,
                    bias,
                    seed);
        }

        Choice filters(int k, float p, float min, float typical) {
            return new Choice(
                    temperature,
                    k,
                    p,
                    min,
                    typical,
                    repetition,
                    frequency,
                    presence,
                    window,
                    bias,
                    seed);
        }

        Choice penalties(float repeat, float often, float ever, int last) {
            return new Choice(
                    temperature, topK, topP, minP, typicalP, repeat, often, ever, last, bias, seed);
        }

        Choice bias(int token, float value) {
            TreeMap<Integer, Float> more = new TreeMap<>(bias);
            more.put(token, value);
            return new Choice(
                    temperature,
                    topK,
                    topP,
                    minP,
                    typicalP,
                    repetition,
                    frequency,
                    presence,
                    window,
                    more,
                    seed);
        }

        Choice seed(long value) {
            return new Choice(
                    temperature,
                    topK,
                    topP,
                    minP,
                    typicalP,
                    repetition,
                    frequency,
                    presence,
                    window,
                    bias,
                    value);
        }
    }

    private TokenSampler sampler(LlamaLibrary library, Choice choice) {
        return new LlamaSampler(
                library.samplers(),
                new Candidates(LOGITS.length, arena),
                MemorySegment.NULL,
                choice.sampling());
    }

    private MemorySegment logits(float... values) {
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    private static double[] softmax(double temperature) {
        double[] weights = new double[LOGITS.length];
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = Math.exp(LOGITS[i] / temperature);
            sum += weights[i];
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] /= sum;
        }
        return weights;
    }

    private int[] counts(LlamaLibrary library, Choice choice) {
        MemorySegment logits = logits(LOGITS);
        int[] counts = new int[LOGITS.length];
        try (TokenSampler sampler = sampler(library, choice)) {
            for (int position = 0; position < DRAWS; position++) {
                counts[sampler.sample(logits, position, NO_HISTORY)]++;
            }
        }
        return counts;
    }

    /** 24.3 is the 0.1 % point of chi-square with 7 degrees of freedom. */
    @ParameterizedTest
    @MethodSource("libraries")
    void drawsFollowTheDistribution(LlamaLibrary library) {
        for (double temperature : new double[] {1, 0.7, 2}) {
            int[] counts = counts(library, Choice.PLAIN.temperature((float) temperature));
            double[] expected = softmax(temperature);
            double chiSquare = 0;
            for (int i = 0; i < counts.length; i++) {
                double mean = expected[i] * DRAWS;
                chiSquare += (counts[i] - mean) * (counts[i] - mean) / mean;
            }
            assertThat(chiSquare).as("temperature " + temperature).isLessThan(24.3);
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void drawsAreAFunctionOfSeedAndPosition(LlamaLibrary library) {
        MemorySegment logits = logits(LOGITS);
        int[] positions = IntStream.range(0, 500).toArray();
        int[] forward;
        int[] backward = new int[positions.length];
        try (TokenSampler one = sampler(library, Choice.PLAIN);
                TokenSampler other = sampler(library, Choice.PLAIN)) {
            forward = IntStream.of(positions).map(p -> one.sample(logits, p, NO_HISTORY)).toArray();
            for (int p = positions.length - 1; p >= 0; p--) {
                backward[p] = other.sample(logits, p, NO_HISTORY);
            }
        }
        assertThat(backward).isEqualTo(forward);
        assertThat(counts(library, Choice.PLAIN.seed(43)))
                .isNotEqualTo(counts(library, Choice.PLAIN));
    }

    @Test
    void randomnessIsTheOneThatTheProtocolFixes() {
        assertThat(PositionRandom.unit(0, 0)).isEqualTo(unitBySpecification(0, 0));
        assertThat(PositionRandom.unit(-7, 123_456)).isEqualTo(unitBySpecification(-7, 123_456));
        double mean =
                IntStream.range(0, 100_000)
                        .mapToDouble(p -> PositionRandom.unit(1, p))
                        .average()
                        .orElseThrow();
        assertThat(mean).isCloseTo(0.5, within(0.005));
    }

    /** SplitMix64 as the JDK has it: its n-th value is mix(seed + n γ). */
    private static double unitBySpecification(long seed, int position) {
        long gamma = 0x9E3779B97F4A7C15L;
        long mixed = new java.util.SplittableRandom(seed - gamma).nextLong();
        long bits = new java.util.SplittableRandom(mixed + position * gamma).nextLong();
        return (bits >>> 11) * 0x1.0p-53;
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void greedyTakesTheLikeliestAndTheFirstOfEquals(LlamaLibrary library) {
        UnaryOperator<Choice> greedy = c -> c.temperature(0);
        try (TokenSampler plain = sampler(library, greedy.apply(Choice.PLAIN));
                TokenSampler biased = sampler(library, greedy.apply(Choice.PLAIN.bias(0, 1f)))) {
            assertThat(plain.sample(logits(LOGITS), 0, NO_HISTORY)).isEqualTo(3);
            assertThat(plain.sample(logits(0, 5, 1, 5, 5, 0, 0, 0), 0, NO_HISTORY)).isEqualTo(1);
            assertThat(biased.sample(logits(4, 5, 1, 5, 5, 0, 0, 0), 0, NO_HISTORY)).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void filtersKeepTheLikelyTokens(LlamaLibrary library) {
        // By likelihood: 3, 5, 1, 7, 0, 2, 6, 4.
        assertThat(counts(library, Choice.PLAIN.filters(3, 1, 0, 1)))
                .satisfies(c -> onlyThese(c, 3, 5, 1));
        assertThat(counts(library, Choice.PLAIN.filters(1, 1, 0, 1)))
                .satisfies(c -> onlyThese(c, 3));
        // Probabilities: 3 has 0.40, with 5 it is 0.65, with 1 it is 0.79.
        assertThat(counts(library, Choice.PLAIN.filters(0, 0.7f, 0, 1)))
                .satisfies(c -> onlyThese(c, 3, 5, 1));
        // exp(-0.5) is 0.61 of the likeliest, exp(-1) is 0.37.
        assertThat(counts(library, Choice.PLAIN.filters(0, 1, 0.5f, 1)))
                .satisfies(c -> onlyThese(c, 3, 5));
        assertThat(IntStream.of(counts(library, Choice.PLAIN.filters(0, 1, 0, 0.5f)))).contains(0);
    }

    private static void onlyThese(int[] counts, int... tokens) {
        assertThat(IntStream.range(0, counts.length).filter(t -> counts[t] > 0).toArray())
                .containsExactlyInAnyOrder(tokens);
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void logitBiasMovesAndBans(LlamaLibrary library) {
        assertThat(counts(library, Choice.PLAIN.bias(3, -100).bias(5, -100)))
                .satisfies(c -> onlyThese(c, 0, 1, 2, 4, 6, 7));
        assertThat(counts(library, Choice.PLAIN.bias(4, 100))).satisfies(c -> onlyThese(c, 4));
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void penaltiesLookAtTheRecentTokens(LlamaLibrary library) {
        MemorySegment logits = logits(1, 1, 1, 3, 1, 2.9f, 1, 1);
        int[] history = {3, 5, 5, 0, 0, 0, 0, 0, 0, 0};
        Choice greedy = Choice.PLAIN.temperature(0);
        try (TokenSampler presence = sampler(library, greedy.penalties(1, 0, 0.5f, 64));
                TokenSampler frequency = sampler(library, greedy.penalties(1, 0.3f, 0, 64));
                TokenSampler repetition = sampler(library, greedy.penalties(2, 0, 0, 64));
                TokenSampler narrow = sampler(library, greedy.penalties(1, 0, 0.5f, 2));
                TokenSampler whole = sampler(library, greedy.penalties(1, 0, 0.5f, -1))) {
            assertThat(presence.sample(logits, 0, history)).isEqualTo(3);
            assertThat(presence.sample(logits, 1, history)).isEqualTo(5);
            assertThat(presence.sample(logits, 3, history)).isEqualTo(3);
            assertThat(frequency.sample(logits, 3, history)).isEqualTo(3);
            assertThat(repetition.sample(logits, 1, history)).isEqualTo(5);
            assertThat(narrow.sample(logits, 1, history)).isEqualTo(5);
            assertThat(narrow.sample(logits, 3, history)).isEqualTo(3);
            assertThat(whole.sample(logits, 1, history)).isEqualTo(5);
            assertThat(whole.sample(logits, 10, history)).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void aHistoryOfOtherTokensIsRefused(LlamaLibrary library) {
        try (TokenSampler sampler = sampler(library, Choice.PLAIN.penalties(1, 0, 0.5f, 64))) {
            for (int token : new int[] {-1, LOGITS.length}) {
                assertThatThrownBy(() -> sampler.sample(logits(LOGITS), 1, new int[] {token}))
                        .isInstanceOf(IndexOutOfBoundsException.class);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void theWholeSessionMayBeLong(LlamaLibrary library) {
        MemorySegment logits = logits(1, 1, 1, 3, 1, 2.9f, 1, 1);
        int[] history = new int[10_000];
        history[0] = 3;
        Choice greedy = Choice.PLAIN.temperature(0);
        try (TokenSampler whole = sampler(library, greedy.penalties(1, 0, 0.5f, -1))) {
            for (int position : new int[] {0, 1, 1023, 1024, 1025, 2048, 10_000, 5}) {
                assertThat(whole.sample(logits, position, history))
                        .as("position " + position)
                        .isEqualTo(position == 0 ? 3 : 5);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void logitsThatAreNoNumbersGetASentence(LlamaLibrary library) {
        float infinity = Float.POSITIVE_INFINITY;
        for (Choice choice : new Choice[] {Choice.PLAIN, Choice.PLAIN.temperature(0)}) {
            try (TokenSampler sampler = sampler(library, choice)) {
                for (MemorySegment bad :
                        new MemorySegment[] {
                            logits(0, 1, Float.NaN, 0, 0, 0, 0, 0),
                            logits(0, 1, infinity, 0, 0, 0, 0, 0),
                            logits(
                                    -infinity, -infinity, -infinity, -infinity, -infinity,
                                    -infinity, -infinity, -infinity)
                        }) {
                    assertThatThrownBy(() -> sampler.sample(bad, 0, NO_HISTORY))
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining("is not a number");
                }
                MemorySegment masked = logits(-infinity, 1, -infinity, 0, 0, 0, 0, 0);
                assertThat(sampler.sample(masked, 0, NO_HISTORY)).isNotIn(0, 2);
            }
        }
    }

    @Test
    void parametersOutOfRangeAreRefused() {
        LlamaLibrary library = TestModels.bundled();
        for (Choice choice :
                new Choice[] {
                    Choice.PLAIN.temperature(-1),
                    Choice.PLAIN.temperature(Float.NaN),
                    Choice.PLAIN.filters(0, Float.NaN, 0, 1),
                    Choice.PLAIN.penalties(0, 0, 0, 64),
                    Choice.PLAIN.penalties(1, Float.POSITIVE_INFINITY, 0, 64),
                    Choice.PLAIN.penalties(1, 0, 0, -2),
                    Choice.PLAIN.bias(LOGITS.length, 1),
                    Choice.PLAIN.bias(-1, 1),
                    Choice.PLAIN.bias(1, Float.NEGATIVE_INFINITY)
                }) {
            assertThatThrownBy(() -> sampler(library, choice))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
