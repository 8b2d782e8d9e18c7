package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.proto.v1.StreamMark;
import coop.sahkar.proto.v1.StreamPlace;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/chat/completions} and {@code POST /v1/completions}. */
final class CompletionService extends JsonService {
    private final RandomGenerator random = new SecureRandom();
    private final Answering answering;
    private final StreamShelf shelf;
    private final StreamMarks marks;
    private final boolean chat;

    CompletionService(Answering answering, StreamShelf shelf, boolean chat) {
        this.shelf = shelf;
        this.marks = new StreamMarks(answering.runner(), System::currentTimeMillis);
        this.answering = answering;
        this.chat = chat;
    }

    @Override
    HttpResponse answer(ServiceRequestContext context, AggregatedHttpRequest whole) {
        Caller caller = Accounts.of(context);
        StreamMarks.Asked asked =
                new StreamMarks.Asked(caller.account(), chat, whole.content().array());
        String seen = whole.headers().get(StreamShelf.LAST_EVENT);
        if (seen != null && !seen.isEmpty()) {
            HttpResponse here = shelf.resume(seen);
            return here == null ? elsewhere(context, caller, asked, seen) : here;
        }
        long seed = random.nextLong(1, Long.MAX_VALUE);
        StreamMark names =
                StreamMark.newBuilder()
                        .setSeed(seed)
                        .setAnswer(random.nextLong())
                        .setCreatedSeconds(System.currentTimeMillis() / 1_000)
                        .build();
        boolean wanted = "true".equals(whole.headers().get(StreamShelf.ASK));
        return switch (OpenAiRequest.read(asked.body(), chat, RequestIds.of(context), seed)) {
            case OpenAiRequest.Reading.Refused(var problem) -> OpenAiErrors.response(problem);
            case OpenAiRequest.Reading.Accepted(var request) when wanted && request.stream() ->
                    shelf.keep(
                            answering.start(request, marked(request, asked, names, null), caller));
            case OpenAiRequest.Reading.Accepted(var request) ->
                    answering.start(request, format(request, names), caller);
        };
    }

    /** Goes on with a stream that another coordinator began. */
    private HttpResponse elsewhere(
            ServiceRequestContext context, Caller caller, StreamMarks.Asked asked, String seen) {
        StreamMarks.Found found = StreamShelf.elsewhere(seen, marks, asked);
        if (found == null) {
            return StreamShelf.gone();
        }
        StreamMark names = found.mark();
        return switch (OpenAiRequest.read(
                asked.body(), chat, RequestIds.of(context), names.getSeed())) {
            case OpenAiRequest.Reading.Refused(var problem) -> OpenAiErrors.response(problem);
            case OpenAiRequest.Reading.Accepted(var request) ->
                    shelf.keep(
                            answering.start(
                                    request.goingOn(found.resume()),
                                    marked(request, asked, names, found.place()),
                                    caller));
        };
    }

    /** Tells with each event how to go on elsewhere, where that can be. */
    private AnswerFormat marked(
            OpenAiRequest request,
            StreamMarks.Asked asked,
            StreamMark names,
            @Nullable StreamPlace seen) {
        AnswerFormat format = format(request, names);
        boolean one = request.choices() == 1;
        return one && request.generate().getSampling().getChances() == 0
                ? new MarkedFormat(format, point -> marks.of(asked, names, point), marks::now, seen)
                : format;
    }

    private OpenAiFormat format(OpenAiRequest request, StreamMark names) {
        AnswerShape shape =
                new AnswerShape(
                        chat,
                        (chat ? "chatcmpl-" : "cmpl-")
                                + HexFormat.of().toHexDigits(names.getAnswer()),
                        names.getCreatedSeconds(),
                        request.generate().getModel(),
                        request.includeUsage());
        return new OpenAiFormat(shape, request.choices(), request.calls());
    }
}
