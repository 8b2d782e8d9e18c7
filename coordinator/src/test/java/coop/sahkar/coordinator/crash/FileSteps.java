package coop.sahkar.coordinator.crash;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * Called in a process under test before each change to the file system: says so to the process that
 * started it, on standard output, and waits for a byte on standard input, which may say that the
 * disk is full from there on. Loaded by the boot loader, since classes of the JDK call it.
 */
public final class FileSteps {
    /** The answer that the disk is full. */
    public static final int FULL = 2;

    private static final int CREATE = 0x40;
    private static final int TRUNCATE = 0x200;
    private static final int READ_ONLY = 1;
    private static final String NO_SPACE = "No space left on device";
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);
    private static final FileInputStream IN = new FileInputStream(FileDescriptor.in);
    private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);
    private static volatile boolean armed;
    private static volatile boolean full;
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

    /** The program has come to its end. */
    public static void end() {
        full = false;
        step("end");
        disarm();
    }

    /** A file is opened by the system's flags. */
    public static void open(int flags) throws IOException {
        if ((flags & CREATE) != 0) {
            grow("open");
        } else if ((flags & TRUNCATE) != 0) {
            step("open");
        }
    }

    /** A file is opened where only this kind of failure is known. */
    public static void stream(String what) throws FileNotFoundException {
        if (full() || !go(what)) {
            throw new FileNotFoundException(NO_SPACE);
        }
    }

    /** A file is opened for random access by the mode that the JDK makes of its letters. */
    public static void random(int mode) throws FileNotFoundException {
        if (mode != READ_ONLY) {
            stream("open");
        }
    }

    /** Bytes are about to be written. */
    public static void output(FileOutputStream stream) throws IOException {
        FileDescriptor to = stream.getFD();
        if (to != FileDescriptor.out && to != FileDescriptor.err) {
            grow("write");
        }
    }

    /** Something is about to change that takes room. */
    public static void grow(String what) throws IOException {
        if (full() || !go(what)) {
            throw new IOException(NO_SPACE);
        }
    }

    /** Something is about to change. */
    public static void step(String what) {
        if (!full()) {
            var _ = go(what);
        }
    }

    private static boolean full() {
        return full && !INSIDE.get();
    }

    /** Tells the step; false if there is no more room. */
    private static boolean go(String what) {
        if (!armed || INSIDE.get()) {
            return true;
        }
        INSIDE.set(true);
        try {
            return tell(what);
        } finally {
            INSIDE.set(false);
        }
    }

    /** Threads stand in line, as they would for a disk. */
    private static synchronized boolean tell(String what) {
        try {
            String line = what + " " + done + " " + attempted + "\n";
            OUT.write(line.getBytes(StandardCharsets.US_ASCII));
            int answer = IN.read();
            if (answer < 0) {
                Runtime.getRuntime().halt(3); // nobody listens any more
            }
            full = answer == FULL;
            return answer != FULL;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
