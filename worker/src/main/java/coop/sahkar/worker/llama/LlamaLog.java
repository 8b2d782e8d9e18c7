package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * llama.cpp's log, line by line, through SLF4J. It is chatty: what it calls information is debug
 * here, what it calls a warning is information. The last errors are kept, because they are the only
 * explanation that a failed load gives.
 */
final class LlamaLog {
    private static final Logger LOG = LoggerFactory.getLogger(LlamaLog.class);
    private static final int MAX_LINE_CHARS = 4096;
    private static final int MAX_ERROR_CHARS = 600;

    // enum ggml_log_level
    private static final int DEBUG = 1;
    private static final int INFO = 2;
    private static final int WARN = 3;
    private static final int ERROR = 4;
    private static final int CONTINUED = 5;

    private final StringBuilder line = new StringBuilder();
    private final StringBuilder errors = new StringBuilder();
    private int lineLevel = INFO;

    /** Sends the log of a library here, from now on and until the process ends. */
    static LlamaLog install(Symbols symbols, Arena arena) {
        LlamaLog log = new LlamaLog();
        try {
            MethodHandle onText =
                    MethodHandles.lookup()
                            .findVirtual(
                                    LlamaLog.class,
                                    "onText",
                                    MethodType.methodType(
                                            void.class,
                                            int.class,
                                            MemorySegment.class,
                                            MemorySegment.class))
                            .bindTo(log);
            MemorySegment stub =
                    Linker.nativeLinker()
                            .upcallStub(
                                    onText,
                                    FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS),
                                    arena);
            MethodHandle set = symbols.ofVoid("llama_log_set", ADDRESS, ADDRESS);
            set.invokeExact(stub, MemorySegment.NULL);
            return log;
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Called by llama.cpp, on any thread. An exception that escaped would end the process. */
    @SuppressWarnings("unused")
    private void onText(int level, MemorySegment text, MemorySegment userData) {
        try {
            if (text.address() != 0) {
                append(level, text.reinterpret(Long.MAX_VALUE).getString(0));
            }
        } catch (Throwable t) {
            reportOnce(t);
        }
    }

    private static void reportOnce(Throwable t) {
        try {
            LOG.debug("a line of llama.cpp's log was lost", t);
        } catch (Throwable again) {
            // A logger that throws twice has nowhere left to say so.
            return;
        }
    }

    /** Joins the parts of a line; a part without a line's end waits for the next. */
    synchronized void append(int level, String text) {
        if (level != CONTINUED) {
            flush();
            lineLevel = level;
        }
        int from = 0;
        for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
            line.append(text, from, end);
            flush();
            from = end + 1;
        }
        line.append(text, from, text.length());
        if (line.length() > MAX_LINE_CHARS) {
            flush();
        }
    }

    private void flush() {
        String complete = line.toString().strip();
        line.setLength(0);
        if (complete.isEmpty()) {
            return;
        }
        if (lineLevel == ERROR && errors.length() < MAX_ERROR_CHARS) {
            errors.append(errors.isEmpty() ? "" : "; ").append(complete);
        }
        LOG.atLevel(slf4jLevel(lineLevel)).log("{}", complete);
    }

    private static Level slf4jLevel(int level) {
        return switch (level) {
            case DEBUG -> Level.TRACE;
            case WARN -> Level.INFO;
            case ERROR -> Level.WARN;
            default -> Level.DEBUG;
        };
    }

    synchronized void forgetErrors() {
        errors.setLength(0);
    }

    /** What went wrong since {@link #forgetErrors}, in llama.cpp's words; may be empty. */
    synchronized String errors() {
        flush();
        return errors.length() <= MAX_ERROR_CHARS
                ? errors.toString()
                : errors.substring(0, MAX_ERROR_CHARS) + "…";
    }
}
