package coop.sahkar.deploy.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The distribution names everybody whose work it carries, and nobody else. */
class NoticeIT {
    private static final Path LIBRARIES = SourceTree.top().resolve("deploy/target/sahkar/lib");

    @Test
    void everyLibraryIsInTheNotice() throws IOException {
        assertThat(carried()).isEqualTo(noticed());
    }

    private static Set<String> carried() throws IOException {
        try (Stream<Path> jars = Files.list(LIBRARIES)) {
            return jars.map(jar -> jar.getFileName().toString())
                    .filter(name -> !name.startsWith("sahkar-"))
                    // What follows the first hyphen before a digit is the version.
                    .map(name -> name.replaceFirst("-\\d.*", ""))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static Set<String> noticed() {
        return SourceTree.read(SourceTree.top().resolve("NOTICE"))
                .lines()
                .dropWhile(line -> !line.startsWith("  library "))
                .skip(1)
                .takeWhile(line -> !line.isBlank())
                .map(line -> line.strip().replaceFirst("\\s.*", ""))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
