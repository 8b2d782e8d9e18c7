package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/chat/completions} and {@code POST /v1/completions}. */
final class CompletionService implements HttpService {
    private final RandomGenerator random = new SecureRandom();
    private final GenerationRunner runner;
    private final GatewayMetrics metrics;
    private final boolean chat;

    CompletionService(GenerationRunner runner, GatewayMetrics metrics, boolean chat) {
        this.runner = runner;
        this.metrics = metrics;
        this.chat = chat;
    }

    @Override
    public HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
        if (!isJson(request.contentType())) {
            return OpenAiErrors.plain(
                    415, "Send the request as content-type: application/json.", null);
        }
        return HttpResponse.of(
                request.aggregate()
                        .thenApplyAsync(
                                whole -> answer(context, whole), context.blockingTaskExecutor()));
    }

    private static boolean isJson(@Nullable MediaType type) {
        return type == null || type.subtype().equals("json") || type.subtype().endsWith("+json");
    }

    private HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest whole) {
        context.clearRequestTimeout();
        String requestId = RequestIds.of(context);
        OpenAiRequest.Reading reading =
                OpenAiRequest.read(
                        whole.content().array(),
                        chat,
                        requestId,
                        random.nextLong(1, Long.MAX_VALUE));
        return switch (reading) {
            case OpenAiRequest.Reading.Refused(var problem) -> OpenAiErrors.response(problem);
            case OpenAiRequest.Reading.Accepted(var accepted) ->
                    start(accepted, Accounts.of(context));
        };
    }

    private HttpResponse start(OpenAiRequest request, String account) {
        AnswerShape shape =
                new AnswerShape(
                        chat,
                        (chat ? "chatcmpl-" : "cmpl-")
                                + HexFormat.of().toHexDigits(random.nextLong()),
                        System.currentTimeMillis() / 1_000,
                        request.generate().getModel(),
                        request.includeUsage());
        if (request.stream()) {
            StreamedAnswer answer = new StreamedAnswer(shape, runner.patience());
            runner.start(request.generate(), account, null, metrics.measured(answer));
            return answer.response();
        }
        WholeAnswer answer = new WholeAnswer(shape);
        runner.start(request.generate(), account, null, metrics.measured(answer));
        return answer.response();
    }
}
