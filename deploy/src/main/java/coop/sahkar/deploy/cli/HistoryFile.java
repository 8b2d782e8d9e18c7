package coop.sahkar.deploy.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/** The file that keeps the lines typed in a chat, for its owner's eyes only. */
final class HistoryFile {
    private HistoryFile() {}

    static Path ready(Map<String, String> environment) throws IOException {
        Path file = Folders.state(environment).resolve("chat-history");
        Files.createDirectories(file.getParent());
        if (!Files.exists(file)) {
            Files.createFile(file);
        }
        if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        }
        return file;
    }
}
