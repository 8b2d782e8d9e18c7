package coop.sahkar.worker.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Fetches many pieces, a few at a time; the first failure ends it all. */
final class ParallelFetch {
    private final PieceFetcher fetcher;
    private final Cancellation outer;
    private final Cancellation stop = new Cancellation();

    ParallelFetch(PieceFetcher fetcher, Cancellation cancellation) {
        this.fetcher = fetcher;
        this.outer = cancellation;
    }

    /**
     * Fetches all of them.
     *
     * @throws CancellationException if it was cancelled from outside
     */
    void run(List<PieceTarget> targets) throws StoreException, IOException, InterruptedException {
        Queue<PieceTarget> waiting = new ConcurrentLinkedQueue<>(targets);
        List<Future<?>> workers = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < Math.min(fetcher.parallel(), targets.size()); i++) {
                workers.add(threads.submit(() -> drain(waiting)));
            }
        }
        outer.check();
        for (Future<?> worker : workers) {
            rethrow(worker);
        }
    }

    private Void drain(Queue<PieceTarget> waiting) throws Exception {
        try {
            for (PieceTarget target = waiting.poll(); target != null; target = waiting.poll()) {
                fetcher.fetch(target, outer.or(stop));
            }
            return null;
        } catch (Exception e) {
            stop.cancel();
            throw e;
        }
    }

    private static void rethrow(Future<?> worker)
            throws StoreException, IOException, InterruptedException {
        try {
            worker.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case StoreException failure -> throw failure;
                case IOException failure -> throw failure;
                case CancellationException _ -> {}
                case null, default -> throw new IllegalStateException("fetching failed", e);
            }
        }
    }
}
