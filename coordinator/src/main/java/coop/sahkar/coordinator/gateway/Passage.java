package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.limits.Settlement;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.Wire;
import coop.sahkar.proto.v1.GenerationEvent;

/**
 * A request that was let in: counts what its answers use, and settles that when the last of them is
 * over, however it ends. Thread-safe.
 */
final class Passage {
    private final Gate gate;
    private final String id;
    private final Caller caller;
    private int open;
    private boolean ours = true;
    private long promptTokens;
    private long completionTokens;

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

    /** All is over, and nothing was {@link #metered}: so much was used. */
    void used(long tokens) {
        settle(new Settlement(id, caller.account(), tokens > 0, tokens));
    }

    void settle(Settlement end) {
        gate.allowances().settle(end);
    }

    private synchronized void prompt(int tokens) {
        promptTokens = Math.max(promptTokens, tokens);
    }

    private synchronized void ended(long tokens, boolean faultOfOurs) {
        completionTokens += tokens;
        ours &= faultOfOurs;
        open--;
        if (open > 0) {
            return;
        }
        // Who was refused for want of room, or failed for a fault of ours, has used nothing.
        boolean counts = !ours || completionTokens > 0;
        long prompt = counts ? promptTokens : 0;
        settle(new Settlement(id, caller.account(), counts, prompt + completionTokens));
    }

    /** Counts what one answer uses. */
    private final class Metered extends Onlooker {
        private long tokens;

        Metered(GenerationListener reader) {
            super(reader);
        }

        @Override
        public void event(GenerationEvent event) {
            switch (event.getEventCase()) {
                case STARTED -> prompt(event.getStarted().getPromptTokens());
                case DELTA -> tokens += event.getDelta().getTokensCount();
                case FINISHED -> {
                    prompt(event.getFinished().getPromptTokens());
                    long all = Math.max(tokens, event.getFinished().getCompletionTokens());
                    ended(all, false);
                }
                case FAILED -> {
                    Problem.Kind kind = Wire.fromWire(event.getFailed().getProblem()).kind();
                    boolean fault = kind.retryable() || kind == Problem.Kind.INTERNAL;
                    ended(tokens, fault && tokens == 0);
                }
                case PREFILLED, REROUTED, LEAVING, EVENT_NOT_SET -> {}
            }
            super.event(event);
        }

        @Override
        public void abandoned() {
            ended(tokens, false);
            super.abandoned();
        }
    }
}
