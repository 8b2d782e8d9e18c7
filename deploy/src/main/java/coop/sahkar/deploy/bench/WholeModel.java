package coop.sahkar.deploy.bench;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.engine.TokenSampler;
import coop.sahkar.worker.llama.LlamaLibrary;
import coop.sahkar.worker.llama.LlamaModel;
import coop.sahkar.worker.llama.LlamaStage;
import coop.sahkar.worker.llama.StageOptions;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeMap;

/**
 * The yardstick: the same library computing the whole model in this process, with no worker, link
 * or session about it. Confined to the thread that opened it.
 */
final class WholeModel implements AutoCloseable {
    /** As many rows as a stage computes at once, so that both do the same arithmetic. */
    static final int CHUNK = 128;

    static final Sampling GREEDY = new Sampling(0, 0, 1, 0, 1, 1, 0, 0, 0, new TreeMap<>(), 0);

    private final LlamaModel model;
    private final LlamaStage stage;
    private final Arena arena = Arena.ofConfined();
    private final Rows rows;
    private int[] history = new int[0];

    WholeModel(LlamaLibrary library, Path file, int threads, int positions) throws StageException {
        model = LlamaModel.load(library, file, 0);
        stage =
                model.openStage(
                        new Span(0, model.blocks()), model.blocks(), options(threads, positions));
        rows = new Rows(arena, CHUNK, model.width());
    }

    /** What the yardstick computes with. */
    static StageOptions options(int threads, int positions) {
        return new StageOptions(threads, positions, 1, CHUNK, StageOptions.KvType.F16);
    }

    /** A prompt's tokens, the model's first token included. */
    int[] tokens(String prompt) {
        return model.vocabulary().tokenize(prompt, true, false);
    }

    /** How many tokens a prompt has. */
    int tokensOf(String prompt) {
        return tokens(prompt).length;
    }

    /**
     * Computes a prompt, after which it may be {@linkplain #decode gone on} from.
     *
     * @return tokens of the prompt per second, up to the first token of the answer
     */
    double prefill(int[] prompt) throws StageException {
        stage.truncate(0, 0);
        try (TokenSampler sampler = stage.sampler(GREEDY)) {
            long begun = System.nanoTime();
            int last = rowsOf(prompt);
            history = Arrays.copyOf(prompt, prompt.length + 1);
            history[prompt.length] = sampler.sample(stage.logits(last), prompt.length, history);
            return prompt.length * 1e9 / (System.nanoTime() - begun);
        }
    }

    /**
     * Goes on from the prompt computed last, greedily, as often as it is asked.
     *
     * @param tokens of the answer, the first of which is there already
     * @return tokens per second from the first to the last
     */
    double decode(int tokens) throws StageException {
        int from = history.length - 1;
        int[] text = Arrays.copyOf(history, from + tokens);
        stage.truncate(0, from);
        try (TokenSampler sampler = stage.sampler(GREEDY)) {
            long begun = System.nanoTime();
            for (int at = from; at < text.length - 1; at++) {
                rows.clear();
                rows.add(text[at], at, 0, true);
                stage.compute(rows);
                text[at + 1] = sampler.sample(stage.logits(0), at + 1, text);
            }
            return (tokens - 1) * 1e9 / (System.nanoTime() - begun);
        }
    }

    private int rowsOf(int[] prompt) throws StageException {
        int last = 0;
        for (int from = 0; from < prompt.length; from += CHUNK) {
            rows.clear();
            for (int at = from; at < Math.min(from + CHUNK, prompt.length); at++) {
                last = rows.add(prompt[at], at, 0, at == prompt.length - 1);
            }
            stage.compute(rows);
        }
        return last;
    }

    @Override
    public void close() {
        stage.close();
        model.close();
        arena.close();
    }
}
