package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.Started;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * An answer in one piece: its choices are gathered, up to a bound, and sent when all are complete.
 * What goes wrong with one ends all.
 */
final class WholeAnswer {
    private final CompletableFuture<HttpResponse> answer = new CompletableFuture<>();
    private final HttpResponse response = HttpResponse.of(answer);
    private final AnswerHeaders headers;
    private final AnswerRuns runs = new AnswerRuns();

    // All below: guarded by this.
    private final AnswerFormat format;
    private final List<Choice> choices = new ArrayList<>();
    private @Nullable Finished total;
    private long size;
    private int open;
    private boolean over;

    WholeAnswer(AnswerFormat format, AnswerHeaders headers) {
        this.format = format;
        this.headers = headers;
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

    /** Hears of the next choice; all are made before the first begins. */
    synchronized GenerationListener choice() {
        Choice choice = new Choice();
        choices.add(choice);
        open++;
        return choice;
    }

    /** Hears of one run. What it asks of its own run takes effect when its turn is over. */
    private final class Choice implements GenerationListener {
        private final List<Delta> deltas = new ArrayList<>();
        private @Nullable Finished finished;
        private @Nullable GenerationRun run;

        @Override
        public void begun(GenerationRun begun) {
            run = begun;
            runs.begin(begun);
        }

        @Override
        public void event(GenerationEvent event) {
            switch (event.getEventCase()) {
                case STARTED -> started(event.getStarted());
                case DELTA -> {
                    if (!gather(deltas, event.getDelta())) {
                        fail(tooLong());
                        return;
                    }
                }
                case FINISHED -> {
                    finished = event.getFinished();
                    finish(event.getFinished());
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

        AnswerFormat.Choice complete() {
            return new AnswerFormat.Choice(
                    deltas, finished == null ? Finished.getDefaultInstance() : finished);
        }
    }

    private static Problem tooLong() {
        return Problem.of(
                Problem.Kind.INTERNAL,
                "The answer grew too long to send in one piece; ask for a stream.");
    }

    private void cancelAll() {
        synchronized (this) {
            over = true;
        }
        runs.cancel();
    }

    private synchronized void started(Started started) {
        format.started(started);
        headers.started(started);
    }

    private synchronized boolean gather(List<Delta> deltas, Delta more) {
        size += more.getSerializedSize();
        deltas.add(more);
        return size <= GatewayLimits.MAX_ANSWER_BYTES;
    }

    private void fail(Problem problem) {
        answer.complete(format.refused(problem));
        cancelAll();
    }

    private synchronized void finish(Finished end) {
        total = AnswerFormat.together(total, end);
        open--;
        if (open > 0 || over) {
            return;
        }
        over = true;
        ResponseHeadersBuilder builder =
                ResponseHeaders.builder(200).contentType(MediaType.JSON_UTF_8);
        headers.addTo(builder);
        headers.finished(builder, end);
        answer.complete(
                HttpResponse.of(
                        builder.build(),
                        format.whole(choices.stream().map(Choice::complete).toList(), total)));
    }
}
