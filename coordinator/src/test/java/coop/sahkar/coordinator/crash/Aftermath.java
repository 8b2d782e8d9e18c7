package coop.sahkar.coordinator.crash;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Looks at what crashes left behind, several at once. */
final class Aftermath implements AutoCloseable {
    /** Most of opening and closing a log is waiting. */
    static final int STARTS_AT_ONCE = 16;

    private final ExecutorService threads;

    Aftermath(int atOnce) {
        this.threads = Executors.newFixedThreadPool(atOnce);
    }

    /** Whether production copes with it; throws where it does not. */
    @FunctionalInterface
    interface Check<T> {
        void of(T remains) throws Exception;
    }

    /** Begins to look. */
    <T> List<Future<String>> begin(List<T> all, Check<T> check) {
        return all.stream().map(one -> threads.submit(() -> failure(one, check))).toList();
    }

    /** What does not pass, in words; empty when all is well. Waits. */
    static List<String> failures(List<Future<String>> looked) throws Exception {
        List<String> failures = new ArrayList<>();
        for (Future<String> one : looked) {
            if (!one.get().isEmpty()) {
                failures.add(one.get());
            }
        }
        return failures;
    }

    private static <T> String failure(T remains, Check<T> check) {
        try {
            check.of(remains);
            return "";
        } catch (Exception | AssertionError e) {
            return remains + ": " + e;
        }
    }

    /** Begins nothing more. */
    @Override
    public void close() {
        threads.shutdown();
    }
}
