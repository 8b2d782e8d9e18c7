package coop.sahkar.deploy.cli;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything a command has started, ended once and in reverse: when the command is done, or when
 * Ctrl-C or a termination signal ends the JVM.
 */
public final class Lifetime implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Lifetime.class);

    private final Deque<AutoCloseable> started = new ArrayDeque<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private boolean closing;

    public Lifetime() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::close, "sahkar-shutdown"));
    }

    /** Takes charge of something; ends it at once if the end has come already. */
    public <T extends AutoCloseable> T add(T resource) {
        synchronized (this) {
            if (!closing) {
                started.push(resource);
                return resource;
            }
        }
        end(resource);
        return resource;
    }

    /** Waits until the process is told to end. */
    public void await() throws InterruptedException {
        ended.await();
    }

    /** Lets {@link #await} return; closing is left to the one who waits. */
    public void end() {
        ended.countDown();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closing) {
                return;
            }
            closing = true;
        }
        while (!started.isEmpty()) {
            end(started.pop());
        }
        ended.countDown();
    }

    private static void end(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception e) {
            LOG.debug("could not be closed: {}", resource, e);
        }
    }
}
