package coop.sahkar.coordinator.usage;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.Ticket;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Counts one generation: the prompt once, when the first of the answer is there, and each token for
 * the route it came along. What a repair has computed again costs nobody and earns nothing. Told to
 * the sink every second, at each change of route, and at the end. No clock; owned by one thread.
 */
public final class UsageMeter {
    /** Longest time for which tokens are held back here. */
    public static final int HOLD_MILLIS = 1000;

    private final String account;
    private final long promptTokens;
    private final UsageSink sink;
    private @Nullable Ticket route;
    private boolean proven;
    private boolean promptCounted;
    private long heldPrompt;
    private long heldAnswer;
    private long heldSinceMillis;

    /**
     * @param account the payer's account of the ledger
     * @param promptTokens what the prompt counts, as the coordinator reckons it
     */
    public UsageMeter(String account, long promptTokens, UsageSink sink) {
        this.account = account;
        this.promptTokens = promptTokens;
        this.sink = sink;
    }

    /**
     * What follows comes along this route.
     *
     * @param signed whether a coordinator's signature says so; if not, nobody earns by it
     */
    public void route(Ticket next, boolean signed) {
        settle();
        route = next;
        proven = signed;
    }

    /** So many more tokens were delivered. */
    public void tokens(int count, long nowMillis) {
        if (count > 0) {
            answered(nowMillis);
            heldAnswer += count;
        }
        settleIfDue(nowMillis);
    }

    /** The answer has begun, or has ended without a token: the prompt was worked through. */
    public void answered(long nowMillis) {
        if (heldPrompt + heldAnswer == 0) {
            heldSinceMillis = nowMillis;
        }
        if (!promptCounted) {
            promptCounted = true;
            heldPrompt = promptTokens;
        }
    }

    /** Tells the sink what has been held back for long enough. */
    public void settleIfDue(long nowMillis) {
        if (nowMillis - heldSinceMillis >= HOLD_MILLIS) {
            settle();
        }
    }

    /** Tells the sink everything. */
    public void settle() {
        Ticket along = route;
        if (along == null || heldPrompt + heldAnswer == 0) {
            return;
        }
        List<RouteStage> stages = proven ? along.stages() : List.of();
        sink.record(
                new Use(
                        account,
                        along.modelId(),
                        along.blockCount(),
                        along.epoch(),
                        stages,
                        heldPrompt,
                        heldAnswer));
        heldPrompt = 0;
        heldAnswer = 0;
    }
}
