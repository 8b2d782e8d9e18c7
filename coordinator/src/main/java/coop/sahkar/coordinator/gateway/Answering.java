package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.proto.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

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
            runner.start(
                    request.generate(i),
                    caller,
                    null,
                    metrics.measured(passage.metered(choices.get(i))));
        }
        return response;
    }
}
