package coop.sahkar.deploy.terminal;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * One progress bar on stderr; where that is no terminal, a line when it begins. Safe to step from
 * several threads.
 */
public final class Progress implements AutoCloseable {
    private static final int WIDTH = 79;
    private static final int UPDATE_MILLIS = 100;
    private static final long MIB = 1 << 20;

    private final @Nullable ProgressBar bar;

    private Progress(@Nullable ProgressBar bar) {
        this.bar = bar;
    }

    /** A bar that counts bytes. */
    public static Progress ofBytes(String what, long total) {
        return start(
                what, total, total >= 10 * MIB ? "MiB" : "KiB", total >= 10 * MIB ? MIB : 1024);
    }

    /** A bar that counts things. */
    public static Progress of(String what, long total) {
        return start(what, total, "", 1);
    }

    private static Progress start(String what, long total, String unit, long unitSize) {
        PrintStream err = System.err;
        if (!Streams.errorsAreTerminal()) {
            err.println(what + " ...");
            return new Progress(null);
        }
        return new Progress(
                new ProgressBarBuilder()
                        .setTaskName(what)
                        .setInitialMax(Math.max(1, total))
                        .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
                        .setUnit(unit.isEmpty() ? "" : " " + unit, unitSize)
                        .setUpdateIntervalMillis(UPDATE_MILLIS)
                        .setConsumer(new ConsoleProgressBarConsumer(err, WIDTH))
                        .clearDisplayOnFinish()
                        .build());
    }

    public void at(long done) {
        if (bar != null) {
            bar.stepTo(done);
        }
    }

    /** The same with another total, which may only become known on the way. */
    public void at(long done, long total) {
        if (bar != null) {
            bar.maxHint(Math.max(1, total));
            bar.stepTo(done);
        }
    }

    /** Says something in a line of its own, without harm to the bar. */
    public void remark(String line) {
        if (bar == null) {
            System.err.println(line);
        } else {
            // Back to the first column and clear: the bar draws itself anew below.
            System.err.print("\r\u001b[K" + line + "\n");
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
