package coop.sahkar.coordinator.crash;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Called in a process under test before each change to the file system: says so to the process that
 * started it, on standard output, and waits for a byte on standard input. Loaded by the boot
 * loader, since classes of the JDK call it.
 */
public final class FileSteps {
    private static final int CREATE_OR_TRUNCATE = 0x40 | 0x200;
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);
    private static final FileInputStream IN = new FileInputStream(FileDescriptor.in);
    private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);
    private static volatile boolean armed;
    private static volatile int attempted;
    private static volatile int done;

    private FileSteps() {}

    /** From here on steps are told. */
    public static void arm() {
        armed = true;
    }

    /** From here on they are not. */
    public static void disarm() {
        armed = false;
    }

    /** How many commands were sent to the log. */
    public static void attempt(int commands) {
        attempted = commands;
    }

    /** How many of them were acknowledged. */
    public static void acknowledge(int commands) {
        done = commands;
    }

    /** A file is opened. */
    public static void open(int flags) {
        if ((flags & CREATE_OR_TRUNCATE) != 0) {
            step("open");
        }
    }

    /** Something is about to change. */
    public static void step(String what) {
        if (!armed || INSIDE.get()) {
            return;
        }
        INSIDE.set(true);
        try {
            tell(what);
        } finally {
            INSIDE.set(false);
        }
    }

    /** Threads stand in line, as they would for a disk. */
    private static synchronized void tell(String what) {
        try {
            String line = what + " " + done + " " + attempted + "\n";
            OUT.write(line.getBytes(StandardCharsets.US_ASCII));
            if (IN.read() < 0) {
                Runtime.getRuntime().halt(3); // nobody listens any more
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
