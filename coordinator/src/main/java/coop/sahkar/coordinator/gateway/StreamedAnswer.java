package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerationEvent;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * An answer as server-sent events. The next event is asked for when the reader's connection has
 * taken the last one. The response's headers wait for the head's first sign, so that a refusal
 * still gets its own HTTP status, but not for long: then comments keep the reader company.
 */
final class StreamedAnswer implements GenerationListener {
    private static final HttpData PING = HttpData.ofUtf8(": ping\n\n");
    private static final HttpData DONE = HttpData.ofUtf8("data: [DONE]\n\n");
    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.UTF_8);
    private static final byte[] END = "\n\n".getBytes(StandardCharsets.UTF_8);

    private final HttpResponseWriter response = HttpResponse.streaming();
    private final Patience patience;
    private AnswerShape shape;
    private @Nullable GenerationRun run;
    private boolean headersSent;
    private long nextPingMillis;

    StreamedAnswer(AnswerShape shape, Patience patience) {
        this.shape = shape;
        this.patience = patience;
        this.nextPingMillis = patience.pingMillis();
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
        nextPingMillis = patience.pingMillis();
        switch (event.getEventCase()) {
            case STARTED -> {
                shape = shape.by(event.getStarted().getModelId());
                sendHeaders();
                nextWhenConsumed();
            }
            case DELTA -> {
                String text = event.getDelta().getText();
                if (!text.isEmpty()) {
                    send(shape.textChunk(text));
                }
                nextWhenConsumed();
            }
            case FINISHED -> finish(event.getFinished());
            case FAILED -> fail(Wire.fromWire(event.getFailed().getProblem()));
            case PREFILLED, REROUTED, LEAVING, EVENT_NOT_SET -> nextWhenConsumed();
        }
    }

    @Override
    public void waiting(long millis) {
        if (!headersSent && millis >= patience.headersMillis()) {
            sendHeaders();
        }
        if (headersSent && millis >= nextPingMillis) {
            nextPingMillis = millis + patience.pingMillis();
            write(PING);
        }
    }

    private void sendHeaders() {
        if (headersSent) {
            return;
        }
        headersSent = true;
        write(
                ResponseHeaders.builder(200)
                        .contentType(MediaType.EVENT_STREAM)
                        .set(HttpHeaderNames.CACHE_CONTROL, "no-cache")
                        .set("x-accel-buffering", "no")
                        .build());
        if (shape.chat()) {
            send(shape.roleChunk());
        }
    }

    private void finish(Finished finished) {
        sendHeaders();
        send(shape.finishChunk(finished));
        if (shape.includeUsage()) {
            send(shape.usageChunk(finished));
        }
        write(DONE);
        response.close();
    }

    /** A reader that takes nothing gets no last words: they would wait in memory for ever. */
    private void fail(Problem problem) {
        if (problem.kind() == Problem.Kind.CANCELLED) {
            response.abort();
            return;
        }
        if (headersSent) {
            send(OpenAiErrors.json(problem));
        } else {
            write(OpenAiErrors.headers(problem));
            write(HttpData.wrap(Json.bytes(OpenAiErrors.json(problem))));
        }
        response.close();
    }

    private void send(ObjectNode json) {
        byte[] body = Json.bytes(json);
        byte[] frame = new byte[DATA.length + body.length + END.length];
        System.arraycopy(DATA, 0, frame, 0, DATA.length);
        System.arraycopy(body, 0, frame, DATA.length, body.length);
        System.arraycopy(END, 0, frame, DATA.length + body.length, END.length);
        write(HttpData.wrap(frame));
    }

    /** A write after the reader is gone is lost; the run hears of it through the response. */
    private void write(HttpObject object) {
        var _ = response.tryWrite(object);
    }

    private void nextWhenConsumed() {
        GenerationRun asking = run;
        if (asking != null) {
            var _ = response.whenConsumed().thenRun(asking::next);
        }
    }
}
