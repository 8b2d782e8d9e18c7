package coop.sahkar.coordinator.crash;

import coop.sahkar.coordinator.crash.Stepwise.Remains;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Looks at all that crashes left behind, several at once: most of a start is waiting. */
final class Aftermath {
    private static final int AT_ONCE = 16;

    private Aftermath() {}

    /** Whether production copes with it; throws where it does not. */
    interface Check {
        void of(Remains remains) throws Exception;
    }

    /** What does not pass, in words; empty when all is well. */
    static List<String> failures(List<Remains> all, Check check) throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
            List<Callable<Optional<String>>> calls =
                    all.stream()
                            .<Callable<Optional<String>>>map(one -> () -> failure(one, check))
                            .toList();
            List<Future<Optional<String>>> done = threads.invokeAll(calls);
            return done.stream().map(Future::resultNow).flatMap(Optional::stream).toList();
        }
    }

    private static Optional<String> failure(Remains remains, Check check) {
        try {
            check.of(remains);
            return Optional.empty();
        } catch (Exception | AssertionError e) {
            return Optional.of(remains + ": " + e);
        }
    }
}
