package coop.sahkar.client.routing;

import java.util.List;

/** What to do next for a request. */
public sealed interface Step {
    /** Ask this one now. */
    record Ask(Candidate candidate) implements Step {}

    /** Nobody can be asked yet: wait and decide again. */
    record Wait(long millis) implements Step {}

    /**
     * There is nobody to ask, or no use in asking.
     *
     * @param skipped who was not asked, and why
     */
    record GiveUp(List<Skipped> skipped) implements Step {
        public GiveUp {
            skipped = List.copyOf(skipped);
        }
    }

    /**
     * A candidate that is not asked.
     *
     * @param candidate which
     * @param reason continues a sentence that begins with the provider's name
     * @param readyInMillis when it may be asked; {@link Long#MAX_VALUE}: never, for this request
     */
    record Skipped(Candidate candidate, String reason, long readyInMillis) {}
}
