package coop.sahkar.client.pool;

import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.Resume;
import coop.sahkar.proto.v1.ResumePoint;
import coop.sahkar.proto.v1.Started;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How far an answer has come here: what another coordinator must know to go on with it. */
final class Progress {
    private final List<Integer> committed = new ArrayList<>();
    private @Nullable ResumePoint point;
    private String requestId = "";
    private long deliveredBytes;
    private int attempts;

    /** A coordinator said something; not the last word. */
    void heard(GenerationEvent event) {
        switch (event.getEventCase()) {
            case STARTED -> started(event.getStarted());
            case REROUTED -> {
                if (event.getRerouted().hasResume()) {
                    at(event.getRerouted().getResume());
                }
            }
            case DELTA -> delta(event.getDelta());
            case PREFILLED, LEAVING, FINISHED, FAILED, EVENT_NOT_SET -> {}
        }
    }

    private void started(Started started) {
        requestId = started.getRequestId();
        if (started.hasResume()) {
            at(started.getResume());
        }
    }

    private void at(ResumePoint newer) {
        point = newer;
        attempts = 0;
    }

    private void delta(Delta delta) {
        committed.addAll(delta.getTokensList());
        deliveredBytes += delta.getText().getBytes(StandardCharsets.UTF_8).length;
    }

    /** Whether a coordinator has said how to go on without it. */
    boolean resumable() {
        return point != null;
    }

    /** The request for another coordinator, behind what came here; each is another try. */
    GenerateRequest goOn(GenerateRequest first) {
        ResumePoint from = point;
        if (from == null) {
            return first;
        }
        attempts++;
        return first.toBuilder()
                .setRequestId(requestId)
                .setResume(
                        Resume.newBuilder()
                                .setPoint(from)
                                .addAllCommitted(committed)
                                .setDeliveredBytes(deliveredBytes)
                                .setAttempt(attempts))
                .build();
    }
}
