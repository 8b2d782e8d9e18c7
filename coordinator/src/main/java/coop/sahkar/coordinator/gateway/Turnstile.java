package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.accounts.Gate;
import coop.sahkar.coordinator.limits.Settlement;
import coop.sahkar.coordinator.limits.Verdict;
import coop.sahkar.coordinator.limits.Wish;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.GenerateRequest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Takes from an account's limits what a request may need, before anything is done for it. */
final class Turnstile {
    private static final int ID_BYTES = 16;

    private final GatewayPool pool;
    private final Gate gate;
    private final SecureRandom random = new SecureRandom();

    /** Whether a request may go on. */
    sealed interface Turn {
        /** What is left of the limits. */
        RateHeaders headers();

        /** It may; what it uses is counted on the way. */
        record Entered(Passage passage, RateHeaders headers) implements Turn {}

        /** It may not now. */
        record Refused(Problem problem, RateHeaders headers) implements Turn {}
    }

    Turnstile(GatewayPool pool) {
        this.pool = pool;
        this.gate = pool.gate();
    }

    /**
     * A request for answers.
     *
     * @param request what to generate
     * @param choices how many answers
     */
    CompletableFuture<Turn> enter(Caller caller, GenerateRequest request, int choices) {
        long answer = RequestRules.bounded(request, pool.defaultAnswerTokens()).getMaxTokens();
        int most = caller.tier().contextTokens();
        long each = most == 0 ? answer : Math.min(answer, most);
        return enter(caller, choices, RequestRules.likelyPrompt(request) + each * choices);
    }

    /** Texts that are computed a few at a time, and nothing written. */
    CompletableFuture<Turn> texts(Caller caller, List<GenerateRequest> texts) {
        int sessions = Math.min(texts.size(), GatewayLimits.MAX_CHOICES);
        long tokens = texts.stream().mapToLong(RequestRules::likelyPrompt).sum();
        return enter(caller, sessions, tokens);
    }

    /** A question that is answered without a session; it counts as a request. */
    CompletableFuture<Turn> question(Caller caller) {
        return enter(caller, 0, 0)
                .thenApply(turn -> {
                    if (turn instanceof Turn.Entered(Passage passage, var _)) {
                        passage.settle(new Settlement(passage.id(), caller.account(), true, 0));
                    }
                    return turn;
                });
    }

    private CompletableFuture<Turn> enter(Caller caller, int sessions, long tokens) {
        byte[] bytes = new byte[ID_BYTES];
        random.nextBytes(bytes);
        String id = HexFormat.of().formatHex(bytes);
        return gate.allowances()
                .take(new Wish(id, caller.account(), sessions, tokens))
                .thenApply(verdict -> turn(id, caller, sessions, verdict));
    }

    private Turn turn(String id, Caller caller, int choices, Verdict verdict) {
        RateHeaders headers = new RateHeaders(verdict);
        return switch (verdict) {
            case Verdict.Granted _ ->
                    new Turn.Entered(new Passage(gate, id, caller, choices), headers);
            case Verdict.Refused refused ->
                    new Turn.Refused(Problems.limited(caller.tier(), refused), headers);
        };
    }
}
