package coop.sahkar.deploy.simulate;

import java.lang.management.CompilationMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How long one plan took here, and what of that was the planner's: on a machine with other work a
 * thread waits for a processor, and the virtual machine stops it and compiles beside it.
 *
 * @param number which plan of its coordinator it was, from 1
 * @param wallNanos from beginning to end
 * @param processorNanos of it the thread computed; the same where the system does not say
 * @param collectedMillis meanwhile spent on collecting garbage
 * @param compiledMillis meanwhile spent on compiling, in other threads
 */
record PlanTime(
        long number,
        long wallNanos,
        long processorNanos,
        long collectedMillis,
        long compiledMillis) {

    /** A reading of every clock. */
    static PlanTime now() {
        var threads = ManagementFactory.getThreadMXBean();
        long wall = System.nanoTime();
        boolean tells = threads.isCurrentThreadCpuTimeSupported();
        long collected = 0;
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            collected += Math.max(0, collector.getCollectionTime());
        }
        @Nullable CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
        return new PlanTime(
                0,
                wall,
                tells ? threads.getCurrentThreadCpuTime() : wall,
                collected,
                compiler == null ? 0 : compiler.getTotalCompilationTime());
    }

    /** What has passed since this reading, for the plan of a number. */
    PlanTime spent(long plan) {
        PlanTime end = now();
        return new PlanTime(
                plan,
                end.wallNanos - wallNanos,
                end.processorNanos - processorNanos,
                end.collectedMillis - collectedMillis,
                end.compiledMillis - compiledMillis);
    }

    /** In words. */
    String text() {
        return String.format(
                Locale.ROOT,
                "number %d, %.1f ms: %.1f ms of processor time; meanwhile %d ms of collecting, %d ms of compiling",
                number,
                wallNanos / 1e6,
                processorNanos / 1e6,
                collectedMillis,
                compiledMillis);
    }
}
