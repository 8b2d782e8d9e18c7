package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Opens files that are to be filled. Tests put a disk behind it that fills up. */
@FunctionalInterface
interface FileOpener {
    /** The machine's own disk. */
    FileOpener DISK =
            path ->
                    FileChannel.open(
                            path,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE);

    FileChannel open(Path path) throws IOException;
}
