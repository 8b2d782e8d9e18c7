package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.Rerouted;
import coop.sahkar.proto.v1.Started;
import org.jspecify.annotations.Nullable;

/**
 * An answer as a stream of one or more choices. The next event of a choice is asked for when the
 * reader's connection has taken the last one. The response's headers wait for the first head's
 * first sign, so that a refusal still gets its own HTTP status, but not for long: then comments
 * keep the reader company. What goes wrong with one choice ends all.
 */
final class StreamedAnswer {
    private final HttpResponseWriter response = HttpResponse.streaming();
    private final Patience patience;
    private final AnswerHeaders headers;
    private final AnswerRuns runs = new AnswerRuns();

    // All below: guarded by this.
    private final AnswerFormat format;
    private final int choices;
    private @Nullable Finished total;
    private int finished;
    private boolean headersSent;
    private boolean over;
    private long nextPingMillis;

    StreamedAnswer(AnswerFormat format, int choices, Patience patience, AnswerHeaders headers) {
        this.format = format;
        this.choices = choices;
        this.patience = patience;
        this.headers = headers;
        this.nextPingMillis = patience.pingMillis();
        var _ =
                response.whenComplete()
                        .exceptionally(_ -> {
                            cancelAll();
                            return null;
                        });
    }

    /** The response to give to the reader. */
    HttpResponse response() {
        return response;
    }

    /** Hears of one choice. */
    GenerationListener choice(int index) {
        return new Choice(index);
    }

    /** Hears of one run. What it asks of its own run takes effect when its turn is over. */
    private final class Choice implements GenerationListener {
        private final int index;
        private @Nullable GenerationRun run;

        Choice(int index) {
            this.index = index;
        }

        @Override
        public void begun(GenerationRun begun) {
            run = begun;
            runs.begin(begun);
        }

        @Override
        public void event(GenerationEvent event) {
            boolean more =
                    switch (event.getEventCase()) {
                        case STARTED -> started(event.getStarted());
                        case DELTA -> {
                            boolean written = piece(index, event.getDelta());
                            if (!written) {
                                cancelAll();
                            }
                            yield written;
                        }
                        case FINISHED -> finish(index, event.getFinished());
                        case FAILED -> {
                            fail(Wire.fromWire(event.getFailed().getProblem()));
                            cancelAll();
                            yield false;
                        }
                        case REROUTED -> rerouted(event.getRerouted());
                        case PREFILLED, LEAVING, EVENT_NOT_SET -> true;
                    };
            GenerationRun asking = run;
            if (more && asking != null) {
                var _ = response.whenConsumed().thenRun(asking::next);
            }
        }

        @Override
        public void waiting(long millis) {
            keepCompany(millis);
        }
    }

    private void cancelAll() {
        synchronized (this) {
            over = true;
        }
        runs.cancel();
    }

    private synchronized boolean started(Started started) {
        format.started(started);
        headers.started(started);
        sendHeaders();
        return true;
    }

    private synchronized boolean piece(int index, Delta delta) {
        nextPingMillis = patience.pingMillis();
        if (!over) {
            sendHeaders();
            format.piece(index, delta).forEach(this::write);
        }
        return sound();
    }

    private synchronized boolean rerouted(Rerouted rerouted) {
        if (rerouted.hasResume()) {
            format.goesOnFrom(rerouted.getResume());
        }
        return true;
    }

    /** Whether it can be written on; its reader is told if not. */
    private boolean sound() {
        Problem wrong = format.fault();
        if (wrong != null) {
            fail(wrong);
        }
        return wrong == null;
    }

    private synchronized void keepCompany(long millis) {
        if (over) {
            return;
        }
        if (!headersSent && millis >= patience.headersMillis()) {
            sendHeaders();
        }
        HttpData ping = format.ping();
        if (headersSent && ping != null && millis >= nextPingMillis) {
            nextPingMillis = millis + patience.pingMillis();
            write(ping);
        }
    }

    private void sendHeaders() {
        if (headersSent || over) {
            return;
        }
        headersSent = true;
        ResponseHeadersBuilder builder =
                ResponseHeaders.builder(200)
                        .contentType(format.streamType())
                        .set(HttpHeaderNames.CACHE_CONTROL, "no-cache")
                        .set("x-accel-buffering", "no");
        headers.addTo(builder);
        write(builder.build());
        for (int index = 0; index < choices; index++) {
            format.opening(index).forEach(this::write);
        }
    }

    private synchronized boolean finish(int index, Finished end) {
        if (over) {
            return false;
        }
        sendHeaders();
        format.ended(index, end).forEach(this::write);
        if (!sound()) {
            return false;
        }
        Finished all = AnswerFormat.together(total, end);
        total = all;
        finished++;
        if (finished == choices) {
            over = true;
            format.closing(all).forEach(this::write);
            response.close();
        }
        return false;
    }

    /** A reader that takes nothing gets no last words: they would wait in memory for ever. */
    private synchronized void fail(Problem problem) {
        if (over) {
            return;
        }
        over = true;
        if (problem.kind() == Problem.Kind.CANCELLED) {
            response.abort();
        } else if (headersSent) {
            write(format.broken(problem));
            response.close();
        } else {
            var _ =
                    format.refused(problem)
                            .aggregate()
                            .thenAccept(whole -> {
                                write(whole.headers());
                                write(whole.content());
                                response.close();
                            });
        }
    }

    /** A write after the reader is gone is lost; the runs hear of it through the response. */
    private void write(HttpObject object) {
        var _ = response.tryWrite(object);
    }
}
