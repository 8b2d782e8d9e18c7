package coop.sahkar.deploy.cli;

import java.io.IOException;
import org.jline.utils.Signals;

/**
 * Ends this process when its standard input does. The process that started it holds the other end
 * of that pipe, and the kernel closes it however that process ends.
 */
final class ParentWatch {
    private ParentWatch() {}

    static void start() {
        // A Ctrl-C in the parent's terminal is for the parent, who may mean an answer by it.
        Signals.register("INT", () -> {});
        Thread.ofPlatform().daemon().name("sahkar-parent-watch").start(ParentWatch::watch);
    }

    private static void watch() {
        try {
            while (System.in.read() >= 0) {
                // nothing is ever said; only the end counts
            }
        } catch (IOException e) {
            // as good as the end
        }
        Runtime.getRuntime().halt(ExitCode.OK);
    }
}
