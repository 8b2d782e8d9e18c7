package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.GenerateRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** Starts what a request asks for, and lets it be written in the format of its API. */
final class Answering {
    private final GenerationRunner runner;
    private final Turnstile turnstile;
    private final GatewayMetrics metrics;
    private final boolean tellRoutes;

    Answering(
            GenerationRunner runner,
            Turnstile turnstile,
            GatewayMetrics metrics,
            boolean tellRoutes) {
        this.runner = runner;
        this.turnstile = turnstile;
        this.metrics = metrics;
        this.tellRoutes = tellRoutes;
    }

    GenerationRunner runner() {
        return runner;
    }

    Turnstile turnstile() {
        return turnstile;
    }

    /**
     * Starts a request.
     *
     * @param caller whose it is, whose limits count, and whom it takes its turn for
     */
    HttpResponse start(OpenAiRequest request, AnswerFormat format, Caller caller) {
        CompletableFuture<HttpResponse> begun =
                turnstile
                        .enter(caller, request.generate(), request.choices())
                        .thenApply(turn -> turn.headers().on(start(request, format, caller, turn)));
        return begun.isDone() ? begun.join() : HttpResponse.of(begun);
    }

    private HttpResponse start(
            OpenAiRequest request, AnswerFormat format, Caller caller, Turnstile.Turn turn) {
        return switch (turn) {
            case Turnstile.Turn.Refused(Problem problem, var _) -> format.refused(problem);
            case Turnstile.Turn.Entered(Passage passage, var _) ->
                    start(request, format, caller, passage);
        };
    }

    private HttpResponse start(
            OpenAiRequest request, AnswerFormat format, Caller caller, Passage passage) {
        AnswerHeaders headers = new AnswerHeaders(tellRoutes);
        List<GenerationListener> choices = new ArrayList<>();
        HttpResponse response;
        if (request.stream()) {
            StreamedAnswer answer =
                    new StreamedAnswer(format, request.choices(), runner.patience(), headers);
            for (int i = 0; i < request.choices(); i++) {
                choices.add(answer.choice(i));
            }
            response = answer.response();
        } else {
            WholeAnswer answer = new WholeAnswer(format, headers);
            for (int i = 0; i < request.choices(); i++) {
                choices.add(answer.choice());
            }
            response = answer.response();
        }
        for (int i = 0; i < choices.size(); i++) {
            GenerateRequest one = request.generate(i);
            GenerationListener reader = passage.metered(choices.get(i));
            runner.start(one, caller, null, metrics.measured(one, reader));
        }
        return response;
    }

    /**
     * Embeds texts; together they are one request of their caller's.
     *
     * @param written the response to what comes out
     * @param refused the response to what went wrong
     */
    HttpResponse embed(
            EmbeddingRequest request,
            Caller caller,
            Function<EmbeddingAnswer.Embeddings, HttpResponse> written,
            Function<Problem, HttpResponse> refused) {
        CompletableFuture<HttpResponse> begun =
                turnstile
                        .texts(caller, request.texts())
                        .thenApply(turn -> {
                            HttpResponse response =
                                    switch (turn) {
                                        case Turnstile.Turn.Refused(Problem problem, var _) ->
                                                refused.apply(problem);
                                        case Turnstile.Turn.Entered(Passage passage, var _) ->
                                                new EmbeddingAnswer(
                                                                request.texts(),
                                                                (text, reader) ->
                                                                        embed(text, caller, reader),
                                                                written,
                                                                refused,
                                                                passage::used)
                                                        .begin();
                                    };
                            return turn.headers().on(response);
                        });
        return begun.isDone() ? begun.join() : HttpResponse.of(begun);
    }

    private void embed(GenerateRequest text, Caller caller, GenerationListener reader) {
        runner.start(text, caller, null, metrics.measured(text, reader));
    }
}
