package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.limits.Settlement;
import coop.sahkar.coordinator.limits.Usage;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.GenerationEvent;
import coop.sahkar.proto.v1.RouteStageMessage;
import java.util.List;

/**
 * A request that was let in: counts what its answers use, and settles that when the last of them is
 * over, however it ends. Thread-safe.
 */
final class Passage {
    private final Gate gate;
    private final String id;
    private final Caller caller;
    private int open;
    private boolean finished = true;
    private boolean ours = true;
    private String modelId = "";
    private long promptTokens;
    private long completionTokens;
    private List<RouteStage> stages = List.of();

    /**
     * @param id of what was taken
     * @param choices answers to wait for
     */
    Passage(Gate gate, String id, Caller caller, int choices) {
        this.gate = gate;
        this.id = id;
        this.caller = caller;
        this.open = choices;
    }

    String id() {
        return id;
    }

    /** Lets a listener's answer be counted; once for each answer. */
    GenerationListener metered(GenerationListener reader) {
        return new Metered(reader);
    }

    void settle(Settlement end) {
        gate.allowances().settle(end);
    }

    private synchronized void begun(String model, int prompt, List<RouteStageMessage> route) {
        modelId = model.isEmpty() ? modelId : model;
        promptTokens = Math.max(promptTokens, prompt);
        if (!route.isEmpty()) {
            stages = route.stream().map(Wire::fromWire).toList();
        }
    }

    private synchronized void ended(long tokens, boolean well, boolean faultOfOurs) {
        completionTokens += tokens;
        finished &= well;
        ours &= faultOfOurs;
        open--;
        if (open > 0) {
            return;
        }
        // Who was refused for want of room, or failed for a fault of ours, has used nothing.
        boolean counts = !ours || completionTokens > 0;
        long prompt = counts ? promptTokens : 0;
        settle(new Settlement(id, caller.account(), counts, prompt + completionTokens));
        if (counts) {
            gate.usage()
                    .used(
                            new Usage(
                                    id,
                                    caller.account(),
                                    caller.keyed(),
                                    modelId,
                                    prompt,
                                    completionTokens,
                                    stages,
                                    finished));
        }
    }

    /** Stands between a run and its reader and counts. */
    private final class Metered implements GenerationListener {
        private final GenerationListener reader;
        private long tokens;

        Metered(GenerationListener reader) {
            this.reader = reader;
        }

        @Override
        public void begun(GenerationRun run) {
            reader.begun(run);
        }

        @Override
        public void event(GenerationEvent event) {
            switch (event.getEventCase()) {
                case STARTED ->
                        Passage.this.begun(
                                event.getStarted().getModelId(),
                                event.getStarted().getPromptTokens(),
                                event.getStarted().getRouteList());
                case REROUTED -> Passage.this.begun("", 0, event.getRerouted().getRouteList());
                case DELTA -> tokens += event.getDelta().getTokensCount();
                case FINISHED -> {
                    Passage.this.begun("", event.getFinished().getPromptTokens(), List.of());
                    long all = Math.max(tokens, event.getFinished().getCompletionTokens());
                    Passage.this.ended(all, true, false);
                }
                case FAILED -> {
                    Problem.Kind kind = Wire.fromWire(event.getFailed().getProblem()).kind();
                    boolean fault = kind.retryable() || kind == Problem.Kind.INTERNAL;
                    Passage.this.ended(tokens, false, fault && tokens == 0);
                }
                case PREFILLED, LEAVING, EVENT_NOT_SET -> {}
            }
            reader.event(event);
        }

        @Override
        public void waiting(long millis) {
            reader.waiting(millis);
        }

        @Override
        public void abandoned() {
            Passage.this.ended(tokens, false, false);
            reader.abandoned();
        }
    }
}
