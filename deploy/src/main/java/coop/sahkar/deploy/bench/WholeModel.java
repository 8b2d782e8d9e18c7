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

    /** One greedy generation of a fixed number of tokens. */
    Speed run(String prompt, int tokens) throws StageException {
        int[] history = tokens(prompt);
        int promptTokens = history.length;
        history = Arrays.copyOf(history, promptTokens + tokens);
        stage.truncate(0, 0);
        try (TokenSampler sampler = stage.sampler(GREEDY)) {
            long begun = System.nanoTime();
            int last = prefill(history, promptTokens);
            history[promptTokens] = sampler.sample(stage.logits(last), promptTokens, history);
            long first = System.nanoTime();
            for (int at = promptTokens; at < history.length - 1; at++) {
                rows.clear();
                rows.add(history[at], at, 0, true);
                stage.compute(rows);
                history[at + 1] = sampler.sample(stage.logits(0), at + 1, history);
            }
            return Speed.of(promptTokens, first - begun, tokens, System.nanoTime() - first);
        }
    }

    private int prefill(int[] history, int promptTokens) throws StageException {
        int last = 0;
        for (int from = 0; from < promptTokens; from += CHUNK) {
            rows.clear();
            for (int at = from; at < Math.min(from + CHUNK, promptTokens); at++) {
                last = rows.add(history[at], at, 0, at == promptTokens - 1);
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
