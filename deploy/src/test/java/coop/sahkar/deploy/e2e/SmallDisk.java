package coop.sahkar.deploy.e2e;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A file system in memory that is soon full. Only root may mount one; tests skip otherwise. */
final class SmallDisk implements AutoCloseable {
    private static final int COMMAND_SECONDS = 10;
    private static final int PAGE_BYTES = 4096;
    private static final int MOST_PAGES = 1 << 20;

    private final Path path;

    private SmallDisk(Path path) {
        this.path = path;
    }

    /** Mounts one of so many kilobytes. */
    static SmallDisk mount(Path path, int kilobytes) throws Exception {
        Files.createDirectories(path);
        boolean mounted =
                run(
                        "mount",
                        "-t",
                        "tmpfs",
                        "-o",
                        "size=" + kilobytes + "k",
                        "tmpfs",
                        path.toString());
        assumeThat(mounted).as("a tmpfs can be mounted").isTrue();
        return new SmallDisk(path);
    }

    /** Makes room while it is in use. */
    void grow(int kilobytes) throws Exception {
        run("mount", "-o", "remount,size=" + kilobytes + "k", path.toString());
    }

    /** Takes all the room that is left, in a file of its own; again, when there is some again. */
    void fill() throws IOException {
        byte[] page = new byte[PAGE_BYTES];
        try (OutputStream out = Files.newOutputStream(filler(), CREATE, APPEND)) {
            for (int i = 0; i < MOST_PAGES; i++) {
                out.write(page);
            }
            throw new IOException(path + " does not fill up");
        } catch (FileSystemException e) {
            throw e;
        } catch (IOException full) {
            if (!String.valueOf(full.getMessage()).contains("No space left")) {
                throw full;
            }
        }
    }

    /** Gives back what {@link #fill} took. */
    void empty() throws IOException {
        Files.delete(filler());
    }

    private Path filler() {
        return path.resolve("filler");
    }

    @Override
    public void close() throws IOException {
        try {
            run("umount", "-l", path.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean run(String... command) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(List.of(command))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        return process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
    }
}
