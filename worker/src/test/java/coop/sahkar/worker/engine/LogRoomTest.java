package coop.sahkar.worker.engine;

import static coop.sahkar.worker.engine.BoundaryLogTest.assertTrue;
import static coop.sahkar.worker.engine.BoundaryLogTest.frame;
import static coop.sahkar.worker.engine.BoundaryLogTest.spans;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.worker.engine.StageMessage.Frame;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class LogRoomTest {
    private static final int ROWS = 100_000;

    @TempDir private Path folder = Path.of("");

    @Test
    void realFilesGiveBackWhatTheyTook() throws Exception {
        try (LogRoom room = LogRoom.open(folder.resolve("rows"), 0, 1 << 20)) {
            BoundaryLog log = new BoundaryLog(new LogBudget(room));
            log.append(frame(0, ROWS, true));
            List<Frame> again = log.from(7, 1, 60_000, Long.MAX_VALUE);
            assertThat(spans(again)).containsExactly("7-60007", "60007-100000");
            assertTrue(again);
            assertThat(room.usedBytes()).isZero();
            log.close();
        }
        assertThat(folder.resolve("rows")).isEmptyDirectory();
    }

    @Test
    void leftOversOfACrashAreDeletedAlsoWhenTheDiskIsNotUsed() throws IOException {
        Path left = Files.writeString(folder.resolve("rows-1"), "hidden states");
        LogRoom.open(folder, 0, 0).close();
        assertThat(left).doesNotExist();
    }

    @Test
    void aFolderThatCannotBeLeavesMemory() throws IOException {
        Path file = Files.writeString(folder.resolve("taken"), "");
        try (LogRoom room = LogRoom.open(file, 1000, 1 << 20)) {
            BoundaryLog log = new BoundaryLog(new LogBudget(room));
            log.append(frame(0, 100, true));
            log.append(frame(100, 200, true));
            assertThat(log.start()).isEqualTo(100);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void nobodyElseCanReadTheFiles() throws IOException {
        PrivateFile.prepare(folder);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
        PrivateFile file = PrivateFile.make(folder);
        file.write(ByteBuffer.wrap(new byte[10]), 3);
        assertThat(folder).as("it has no name").isEmptyDirectory();
        assertThat(modesOfOpenFiles()).containsExactly("rw-------");
        assertThatThrownBy(() -> file.read(ByteBuffer.allocate(10), 4))
                .isInstanceOf(EOFException.class);
        file.close();
        assertThat(modesOfOpenFiles()).isEmpty();
    }

    /** Of the files without a name that this process has open and that were made in the folder. */
    private List<String> modesOfOpenFiles() throws IOException {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            List<String> modes = new ArrayList<>();
            for (Path descriptor : open) {
                if (isOurs(descriptor)) {
                    modes.add(
                            PosixFilePermissions.toString(
                                    Files.getPosixFilePermissions(descriptor)));
                }
            }
            return modes;
        }
    }

    private boolean isOurs(Path descriptor) throws IOException {
        try {
            return Files.readSymbolicLink(descriptor).startsWith(folder.toRealPath());
        } catch (NoSuchFileException e) {
            return false; // closed meanwhile, by another thread
        }
    }
}
