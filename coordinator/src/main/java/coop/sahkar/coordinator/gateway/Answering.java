package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import coop.sahkar.proto.v1.GenerateRequest;
import java.util.ArrayList;
import java.util.List;

/** Starts what a request asks for, and lets it be written in the format of its API. */
final class Answering {
    private final GenerationRunner runner;
    private final GatewayMetrics metrics;
    private final boolean tellRoutes;

    Answering(GenerationRunner runner, GatewayMetrics metrics, boolean tellRoutes) {
        this.runner = runner;
        this.metrics = metrics;
        this.tellRoutes = tellRoutes;
    }

    GenerationRunner runner() {
        return runner;
    }

    /**
     * Starts a request.
     *
     * @param account whom it takes its turn for
     */
    HttpResponse start(OpenAiRequest request, AnswerFormat format, String account) {
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
            run(request.generate(i), account, choices.get(i));
        }
        return response;
    }

    /** Starts one generation. */
    void run(GenerateRequest request, String account, GenerationListener listener) {
        runner.start(request, account, null, metrics.measured(request, listener));
    }
}
