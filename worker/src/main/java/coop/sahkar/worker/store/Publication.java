package coop.sahkar.worker.store;

import io.grpc.Server;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A published model, served until this is closed if it is served at all. */
public final class Publication implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Publication.class);
    private static final long CLOSE_MILLIS = 2000;

    private final String modelId;
    private final List<String> sources;
    private final boolean alreadyPublished;
    private final @Nullable Server server;
    private final PublishedFile file;

    Publication(
            String modelId,
            List<String> sources,
            boolean alreadyPublished,
            @Nullable Server server,
            PublishedFile file) {
        this.modelId = modelId;
        this.sources = List.copyOf(sources);
        this.alreadyPublished = alreadyPublished;
        this.server = server;
        this.file = file;
    }

    /** The model's id, {@code name@digest}. */
    public String modelId() {
        return modelId;
    }

    /** Where the pool was told that the model's bytes can be had. */
    public List<String> sources() {
        return sources;
    }

    /** Whether the pool had it already; its sources were brought up to date then. */
    public boolean alreadyPublished() {
        return alreadyPublished;
    }

    /** Stops serving the file; the model stays in the pool. */
    @Override
    public void close() {
        close(server, file);
    }

    static void close(@Nullable Server server, PublishedFile file) {
        try (file) {
            if (server != null
                    && !server.shutdown().awaitTermination(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
                server.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.debug("closing a published file failed", e);
        }
    }
}
