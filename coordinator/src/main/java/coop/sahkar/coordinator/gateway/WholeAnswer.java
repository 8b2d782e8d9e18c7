package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerationEvent;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** An answer in one piece: the text is gathered, up to a bound, and sent when it is complete. */
final class WholeAnswer implements GenerationListener {
    private final CompletableFuture<HttpResponse> answer = new CompletableFuture<>();
    private final HttpResponse response = HttpResponse.of(answer);
    private final StringBuilder text = new StringBuilder();
    private AnswerShape shape;
    private @Nullable GenerationRun run;

    WholeAnswer(AnswerShape shape) {
        this.shape = shape;
    }

    /** The response to give to the reader. */
    HttpResponse response() {
        return response;
    }

    @Override
    public void begun(GenerationRun begun) {
        run = begun;
        var _ =
                response.whenComplete()
                        .exceptionally(_ -> {
                            begun.cancel();
                            return null;
                        });
        begun.next();
    }

    @Override
    public void event(GenerationEvent event) {
        switch (event.getEventCase()) {
            case DELTA -> gather(event.getDelta().getText());
            case FINISHED -> finish(event.getFinished());
            case FAILED ->
                    answer.complete(
                            OpenAiErrors.response(Wire.fromWire(event.getFailed().getProblem())));
            case STARTED -> {
                shape = shape.by(event.getStarted().getModelId());
                next();
            }
            case PREFILLED, REROUTED, LEAVING, EVENT_NOT_SET -> next();
        }
    }

    @Override
    public void waiting(long millis) {}

    private void gather(String more) {
        if (text.length() + more.length() > GatewayLimits.MAX_ANSWER_CHARS && run != null) {
            run.fail(
                    Problem.of(
                            Problem.Kind.INTERNAL,
                            "The answer grew too long to send in one piece; ask for a stream."));
            return;
        }
        text.append(more);
        next();
    }

    private void finish(Finished finished) {
        answer.complete(
                HttpResponse.of(
                        ResponseHeaders.builder(200).contentType(MediaType.JSON_UTF_8).build(),
                        HttpData.wrap(Json.bytes(shape.whole(text.toString(), finished)))));
    }

    private void next() {
        if (run != null) {
            run.next();
        }
    }
}
