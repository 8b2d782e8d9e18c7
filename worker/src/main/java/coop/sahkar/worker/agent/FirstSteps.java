package coop.sahkar.worker.agent;

import coop.sahkar.worker.ring.RingRehearsal;
import java.security.GeneralSecurityException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what an answer needs between two batches, many times and for nobody, while the shards are
 * still being fetched. In a young JVM the first check of a signature and the first messages take a
 * hundred times as long as later ones, and a session that was saved from a lost worker would wait
 * for them.
 */
final class FirstSteps {
    private static final Logger LOG = LoggerFactory.getLogger(FirstSteps.class);

    private FirstSteps() {}

    /** Takes them on a thread of its own. */
    static void take() {
        var _ = Thread.ofPlatform().daemon().name("first-steps").start(FirstSteps::rehearse);
    }

    private static void rehearse() {
        try {
            long began = System.nanoTime();
            int tokens = RingRehearsal.run(System::nanoTime);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            LOG.debug("rehearsed {} tokens in {} ms", tokens, millis);
        } catch (GeneralSecurityException | RuntimeException e) {
            LOG.warn("the first session here will be slow: {}", e.toString());
        }
    }
}
