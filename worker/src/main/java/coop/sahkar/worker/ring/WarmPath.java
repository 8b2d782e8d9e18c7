package coop.sahkar.worker.ring;

import java.security.GeneralSecurityException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the code between two batches in the caches of a processor that waits for the next one. To
 * compute a batch is to read all weights of a shard, which throws everything else out; a token
 * would then meet cold code at every step of its way through a worker, and spend more time there
 * than on the network of a house. A stage that waits awake has the time to fetch it back before.
 */
final class WarmPath {
    private static final Logger log = LoggerFactory.getLogger(WarmPath.class);

    /** The first fetches the code, the second what the first one's misses threw out. */
    private static final int TOKENS = 2;

    private final Executor preparing;
    private final LongSupplier nanoClock;
    private final AtomicBoolean begun = new AtomicBoolean();
    private final ReentrantLock turn = new ReentrantLock();
    private volatile @Nullable RingRehearsal rehearsal;

    /**
     * @param preparing where the rehearsal is made ready, which takes some milliseconds
     */
    WarmPath(Executor preparing, LongSupplier nanoClock) {
        this.preparing = preparing;
        this.nanoClock = nanoClock;
    }

    /**
     * Goes through it, on the caller's thread, in some tens of microseconds; does nothing while
     * another thread does, or before it is made ready, which the first call sets off.
     *
     * @return how many tokens were rehearsed so far
     */
    int pass() {
        RingRehearsal ready = rehearsal;
        if (ready == null) {
            prepareOnce();
            return 0;
        }
        if (!turn.tryLock()) {
            return 0;
        }
        try {
            int tokens = 0;
            for (int i = 0; i < TOKENS; i++) {
                tokens = ready.token();
            }
            return tokens;
        } catch (GeneralSecurityException | RuntimeException e) {
            giveUp(e);
            return 0;
        } finally {
            turn.unlock();
        }
    }

    private void prepareOnce() {
        if (begun.compareAndSet(false, true)) {
            try {
                preparing.execute(this::prepare);
            } catch (RejectedExecutionException e) {
                log.debug("This worker is closing; nothing is rehearsed");
            }
        }
    }

    private void prepare() {
        try {
            RingRehearsal made = RingRehearsal.standing(nanoClock);
            made.token();
            rehearsal = made;
        } catch (GeneralSecurityException | RuntimeException e) {
            giveUp(e);
        }
    }

    /** Answers are only slower without. */
    private void giveUp(Exception why) {
        log.warn("Tokens will take longer here: {}", why.toString());
        rehearsal = null;
    }
}
