package coop.sahkar.worker.engine;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A file that nobody else is to read: mode 600, and where the system allows it without a name from
 * the moment it is open, so that it is gone with the process that has it open, however that ends.
 */
final class PrivateFile implements PageFile {
    private static final String PREFIX = "rows-";

    private final FileChannel channel;

    private PrivateFile(FileChannel channel) {
        this.channel = channel;
    }

    /** Makes the folder if need be, and deletes what a crash has left there. */
    static void prepare(Path directory) throws IOException {
        Files.createDirectories(directory);
        if (Files.getFileAttributeView(directory, PosixFileAttributeView.class) != null) {
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        }
        try (DirectoryStream<Path> left = Files.newDirectoryStream(directory, PREFIX + "*")) {
            for (Path file : left) {
                Files.delete(file);
            }
        }
    }

    static PrivateFile make(Path directory) throws IOException {
        // Made with mode 600 before anything is in it.
        Path path = Files.createTempFile(directory, PREFIX, "");
        return new PrivateFile(
                FileChannel.open(
                        path,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.DELETE_ON_CLOSE));
    }

    @Override
    public void write(ByteBuffer bytes, long at) throws IOException {
        long next = at;
        while (bytes.hasRemaining()) {
            next += channel.write(bytes, next);
        }
    }

    @Override
    public void read(ByteBuffer into, long at) throws IOException {
        long next = at;
        while (into.hasRemaining()) {
            int read = channel.read(into, next);
            if (read < 0) {
                throw new EOFException("the file ends at " + next);
            }
            next += read;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
