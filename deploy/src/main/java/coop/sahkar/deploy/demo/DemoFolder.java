package coop.sahkar.deploy.demo;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A demo's temporary folder. Its name holds the process's id, so that the folder of a demo that was
 * killed is found and removed by the next one.
 */
final class DemoFolder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DemoFolder.class);
    private static final String PREFIX = "sahkar-demo-";
    private static final Pattern NAME = Pattern.compile(PREFIX + "(\\d+)-.*");

    private final Path path;

    private DemoFolder(Path path) {
        this.path = path;
    }

    /** Makes a new one under {@code parent}, and removes those of demos that are no more. */
    static DemoFolder make(Path parent) throws IOException {
        sweep(parent);
        return new DemoFolder(
                Files.createTempDirectory(parent, PREFIX + ProcessHandle.current().pid() + "-"));
    }

    Path path() {
        return path;
    }

    @Override
    public void close() {
        delete(path);
    }

    private static void sweep(Path parent) {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path folder : folders) {
                Matcher name = NAME.matcher(String.valueOf(folder.getFileName()));
                if (name.matches() && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()) {
                    delete(folder);
                }
            }
        } catch (IOException e) {
            LOG.debug("cannot look for old demo folders in {}", parent, e);
        }
    }

    private static void delete(Path folder) {
        try {
            Files.walkFileTree(folder, new Deletion());
        } catch (IOException e) {
            LOG.debug("cannot remove {}", folder, e);
        }
    }

    private static final class Deletion extends SimpleFileVisitor<Path> {
        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException e) {
            return FileVisitResult.CONTINUE; // gone already, or not ours to remove
        }

        @Override
        public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e)
                throws IOException {
            Files.deleteIfExists(visited);
            return FileVisitResult.CONTINUE;
        }
    }
}
