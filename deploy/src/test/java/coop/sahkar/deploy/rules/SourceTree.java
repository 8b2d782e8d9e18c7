package coop.sahkar.deploy.rules;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The repository's own files, whatever folder the tests run in. */
final class SourceTree {
    private static final List<String> NOT_OURS = List.of("target", ".git", ".idea", ".vscode");

    private SourceTree() {}

    /** The folder that holds the reactor. */
    static Path top() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("mvnw"))) {
            folder = folder.getParent();
            if (folder == null) {
                throw new IllegalStateException("no mvnw above " + Path.of("").toAbsolutePath());
            }
        }
        return folder;
    }

    /** Every file that is not made by the build. */
    static List<Path> files() {
        try (Stream<Path> all = Files.walk(top())) {
            return all.filter(Files::isRegularFile).filter(SourceTree::ours).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Path> java() {
        return files().stream().filter(path -> path.toString().endsWith(".java")).toList();
    }

    static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(path.toString(), e);
        }
    }

    static String relative(Path path) {
        return top().relativize(path).toString();
    }

    private static boolean ours(Path path) {
        for (Path part : top().relativize(path)) {
            if (NOT_OURS.contains(part.toString())) {
                return false;
            }
        }
        return true;
    }
}
