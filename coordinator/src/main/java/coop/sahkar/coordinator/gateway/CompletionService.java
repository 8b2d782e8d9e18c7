package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.random.RandomGenerator;

/** {@code POST /v1/chat/completions} and {@code POST /v1/completions}. */
final class CompletionService extends JsonService {
    private final RandomGenerator random = new SecureRandom();
    private final Answering answering;
    private final StreamShelf shelf;
    private final boolean chat;

    CompletionService(Answering answering, StreamShelf shelf, boolean chat) {
        this.shelf = shelf;
        this.answering = answering;
        this.chat = chat;
    }

    @Override
    HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest whole) {
        String seen = whole.headers().get(StreamShelf.LAST_EVENT);
        if (seen != null && !seen.isEmpty()) {
            return shelf.resume(seen);
        }
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
                    kept(
                            whole,
                            accepted,
                            answering.start(accepted, format(accepted), Accounts.of(context)));
        };
    }

    private HttpResponse kept(
            AggregatedHttpRequest whole, OpenAiRequest request, HttpResponse response) {
        boolean wanted = "true".equals(whole.headers().get(StreamShelf.ASK));
        return wanted && request.stream() ? shelf.keep(response) : response;
    }

    private OpenAiFormat format(OpenAiRequest request) {
        AnswerShape shape =
                new AnswerShape(
                        chat,
                        (chat ? "chatcmpl-" : "cmpl-")
                                + HexFormat.of().toHexDigits(random.nextLong()),
                        System.currentTimeMillis() / 1_000,
                        request.generate().getModel(),
                        request.includeUsage());
        return new OpenAiFormat(shape, request.choices(), request.calls());
    }
}
