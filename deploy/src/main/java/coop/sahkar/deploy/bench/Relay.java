package coop.sahkar.deploy.bench;

import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.TokenSampler;
import coop.sahkar.worker.llama.LlamaStage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One greedy answer of the parts of a model: whose turn it is, and what is handed over. A step is a
 * chunk of the prompt, or a token; everything but the turn belongs to whose it is.
 */
final class Relay {
    private final int parts;
    private final int promptTokens;
    private final int chunks;
    private final int firstStep;
    private final int[] text;
    private float[] hidden = new float[0];
    private long firstNanos;
    private long lastNanos;
    private final AtomicInteger turn;
    private final CountDownLatch players;
    private volatile @Nullable Throwable failure;

    private Relay(int parts, int[] text, int promptTokens, int chunks, int firstStep) {
        this.parts = parts;
        this.text = text;
        this.promptTokens = promptTokens;
        this.chunks = chunks;
        this.firstStep = firstStep;
        turn = new AtomicInteger(firstStep * parts);
        players = new CountDownLatch(parts);
    }

    /** Computes a prompt, and its answer's first token. */
    static Relay prefill(int parts, int[] prompt) {
        int[] text = Arrays.copyOf(prompt, prompt.length + 1);
        return new Relay(parts, text, prompt.length, chunks(prompt.length), 0);
    }

    /** Makes the rest of an answer, of so many tokens with its first, which is there already. */
    Relay decode(int tokens) {
        int[] longer = Arrays.copyOf(text, promptTokens + tokens);
        return new Relay(parts, longer, promptTokens, chunks, chunks);
    }

    private static int chunks(int tokens) {
        return Math.ceilDiv(tokens, WholeModel.CHUNK);
    }

    /** With which it begins. */
    int firstStep() {
        return firstStep;
    }

    /** The position of a step's first row. */
    int first(int step) {
        return step < chunks ? step * WholeModel.CHUNK : promptTokens + step - chunks;
    }

    private int end(int step) {
        int first = first(step);
        return step < chunks ? Math.min(first + WholeModel.CHUNK, promptTokens) : first + 1;
    }

    /** Whether there is such a step. */
    boolean goesOn(int step) {
        return step != chunks + text.length - promptTokens - 1 && failure == null;
    }

    /** Whether a step is a token, and not a chunk of the prompt. */
    boolean decodes(int step) {
        return step >= chunks;
    }

    /** How many rows a step has. */
    int rows(int step) {
        return end(step) - first(step);
    }

    /** Waits, awake, for a part's turn; false when it does not come. */
    boolean awaits(int step, int index) {
        while (turn.get() != step * parts + index && failure == null) {
            Thread.onSpinWait();
        }
        if (firstNanos == 0 && index == 0) {
            firstNanos = System.nanoTime();
        }
        return failure == null;
    }

    /** Writes what a step computes; true. */
    boolean fill(Rows rows, int step, int index) {
        int end = end(step);
        rows.clear();
        for (int at = first(step); at < end; at++) {
            rows.add(text[at], at, 0, at == end - 1 && end >= promptTokens);
        }
        if (index > 0) {
            MemorySegment from = MemorySegment.ofArray(hidden);
            MemorySegment.copy(from, 0, rows.hidden, 0, from.byteSize());
        }
        return true;
    }

    void passOn(MemorySegment results) {
        hidden = results.toArray(ValueLayout.JAVA_FLOAT);
        turn.incrementAndGet();
    }

    /** The tail's end of a step. */
    void choose(int step, LlamaStage stage, int row, TokenSampler sampler) {
        int position = end(step);
        if (position >= promptTokens) {
            text[position] = sampler.sample(stage.logits(row), position, text);
            lastNanos = System.nanoTime();
        }
        turn.incrementAndGet();
    }

    void fail(Throwable why) {
        failure = why;
    }

    /** A part has nothing more to do. */
    void left() {
        players.countDown();
    }

    /**
     * Waits until all parts have left.
     *
     * @return tokens per second, of those that it made
     */
    double finish() throws InterruptedException {
        players.await();
        Throwable why = failure;
        if (why != null) {
            throw new BenchException(
                    "The model's parts cannot be computed here: " + why.getMessage(), why);
        }
        int made = text.length - promptTokens - (firstStep == 0 ? 0 : 1);
        return made * 1e9 / (lastNanos - firstNanos);
    }
}
