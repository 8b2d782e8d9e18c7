package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Embeddings of some texts, a few of them computed at the same time. What goes wrong with one ends
 * all.
 */
final class EmbeddingAnswer {
    /**
     * What came out.
     *
     * @param vectors of the texts, in their order, each of length 1
     * @param model id of the model that made them
     * @param tokens of all the texts
     */
    record Embeddings(List<float[]> vectors, String model, int tokens) {}

    private final List<GenerateRequest> texts;
    private final Function<Embeddings, HttpResponse> written;
    private final Function<Problem, HttpResponse> refused;
    private final BiConsumer<GenerateRequest, GenerationListener> start;
    private final CompletableFuture<HttpResponse> answer = new CompletableFuture<>();
    private final HttpResponse response = HttpResponse.of(answer);
    private final AnswerRuns runs = new AnswerRuns();

    // All below: guarded by this.
    private final List<float[]> vectors = new ArrayList<>();
    private String model = "";
    private int begun;
    private int complete;
    private int tokens;

    /**
     * @param start begins a generation
     * @param written the response to what comes out
     * @param refused the response to what went wrong
     * @param over is told at the end, once, how many tokens were computed
     */
    EmbeddingAnswer(
            List<GenerateRequest> texts,
            BiConsumer<GenerateRequest, GenerationListener> start,
            Function<Embeddings, HttpResponse> written,
            Function<Problem, HttpResponse> refused,
            IntConsumer over) {
        this.texts = texts;
        this.start = start;
        this.written = written;
        this.refused = refused;
        texts.forEach(_ -> vectors.add(new float[0]));
        var _ =
                response.whenComplete()
                        .handle((_, failure) -> {
                            if (failure != null) {
                                runs.cancel();
                            }
                            over.accept(tokens());
                            return null;
                        });
    }

    /** Begins, and answers when all is done. */
    HttpResponse begin() {
        for (int i = 0; i < Math.min(texts.size(), GatewayLimits.MAX_CHOICES); i++) {
            next();
        }
        return response;
    }

    private void next() {
        int index;
        synchronized (this) {
            if (begun == texts.size()) {
                return;
            }
            index = begun++;
        }
        start.accept(texts.get(index), new One(index));
    }

    /** Hears of one text. What it asks of its own run takes effect when its turn is over. */
    private final class One implements GenerationListener {
        private final int index;
        private @Nullable GenerationRun run;

        One(int index) {
            this.index = index;
        }

        @Override
        public void begun(GenerationRun begunRun) {
            run = begunRun;
            runs.begin(begunRun);
        }

        @Override
        public void event(GenerationEvent event) {
            switch (event.getEventCase()) {
                case STARTED -> named(event.getStarted().getModelId());
                case DELTA -> take(index, event.getDelta().getEmbeddingList());
                case FINISHED -> {
                    finish(index, event.getFinished().getPromptTokens());
                    return;
                }
                case FAILED -> {
                    fail(Wire.fromWire(event.getFailed().getProblem()));
                    return;
                }
                case PREFILLED, REROUTED, LEAVING, EVENT_NOT_SET -> {}
            }
            if (run != null) {
                run.next();
            }
        }

        @Override
        public void waiting(long millis) {}
    }

    private synchronized void named(String id) {
        model = id;
    }

    private synchronized void take(int index, List<Float> state) {
        if (!state.isEmpty()) {
            vectors.set(index, unit(state));
        }
    }

    /** The same direction, of length 1. */
    private static float[] unit(List<Float> state) {
        double squares = 0;
        for (float one : state) {
            squares += (double) one * one;
        }
        double length = squares > 0 ? Math.sqrt(squares) : 1;
        float[] unit = new float[state.size()];
        for (int i = 0; i < unit.length; i++) {
            unit[i] = (float) (state.get(i) / length);
        }
        return unit;
    }

    private void finish(int index, int promptTokens) {
        Embeddings all = null;
        synchronized (this) {
            tokens += promptTokens;
            complete++;
            if (vectors.get(index).length > 0 && complete == texts.size()) {
                all = new Embeddings(List.copyOf(vectors), model, tokens);
            }
        }
        if (all != null) {
            answer.complete(written.apply(all));
        } else if (isMissing(index)) {
            fail(noEmbedding());
        } else {
            next();
        }
    }

    private synchronized int tokens() {
        return tokens;
    }

    private synchronized boolean isMissing(int index) {
        return vectors.get(index).length == 0;
    }

    private synchronized Problem noEmbedding() {
        return Problem.inField(
                "model",
                "%s gives no embeddings: the worker with its last blocks does not know how."
                        .formatted(model));
    }

    private void fail(Problem problem) {
        answer.complete(refused.apply(problem));
        runs.cancel();
    }
}
