package coop.sahkar.deploy.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Style that a compiler does not check. The numbers stand in CONTRIBUTING.md. */
class TidyTest {
    private static final int MAX_FILE_LINES = 500;
    private static final int MAX_METHOD_LINES = 60;

    /** Text in quotes does not count: the formatter cannot split a sentence. */
    private static final int MAX_COLUMNS = 110;

    private static final long MAX_FILE_BYTES = 5_000_000;
    private static final Pattern LEFT_OPEN =
            Pattern.compile("\\b(TO" + "DO|FIX" + "ME|X" + "XX)\\b");

    @Test
    void filesAreShort() {
        assertThat(files(text -> text.lines().count() > MAX_FILE_LINES)).isEmpty();
    }

    @Test
    void linesAreShort() {
        List<String> tooLong = new ArrayList<>();
        for (Path path : SourceTree.java()) {
            int number = 0;
            for (String line : JavaText.withoutStrings(SourceTree.read(path)).lines().toList()) {
                number++;
                if (line.length() > MAX_COLUMNS) {
                    tooLong.add(SourceTree.relative(path) + ":" + number);
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void nothingIsIndentedWithTabs() {
        assertThat(lines(line -> line.indexOf('\t') >= 0)).isEmpty();
    }

    @Test
    void nothingIsLeftOpen() {
        assertThat(lines(line -> LEFT_OPEN.matcher(line).find())).isEmpty();
    }

    /**
     * Refusals stand in the replicated state; %d is written otherwise where people speak Arabic.
     */
    @Test
    void replicatedSentencesAreTheSameInEveryLanguage() {
        List<String> local = new ArrayList<>();
        for (Path path : SourceTree.java()) {
            String file = SourceTree.relative(path);
            boolean replicated =
                    file.contains("main/java/coop/sahkar/coordinator/state/")
                            || file.contains("main/java/coop/sahkar/governance/");
            if (replicated && SourceTree.read(path).contains("%" + "d")) {
                local.add(file);
            }
        }
        assertThat(local).isEmpty();
    }

    @Test
    void methodsAreShort() {
        List<String> tooLong = new ArrayList<>();
        int seen = 0;
        for (Path path : SourceTree.java()) {
            for (JavaText.Method method : JavaText.methods(SourceTree.read(path))) {
                seen++;
                if (method.lines() > MAX_METHOD_LINES) {
                    tooLong.add(
                            "%s:%d %s has %d lines"
                                    .formatted(
                                            SourceTree.relative(path),
                                            method.line(),
                                            method.name(),
                                            method.lines()));
                }
            }
        }
        assertThat(tooLong).isEmpty();
        assertThat(seen).as("methods found").isGreaterThan(500);
    }

    @Test
    void everyPackageSaysWhatItIs() {
        Set<String> silent = new TreeSet<>();
        for (Path path : SourceTree.java()) {
            Path folder = path.resolveSibling(".").normalize();
            if (path.toString().contains("src/main/java")
                    && !Files.exists(folder.resolve("package-info.java"))) {
                silent.add(SourceTree.relative(folder));
            }
        }
        assertThat(silent).isEmpty();
    }

    @Test
    void onlyModelsAreLarge() throws IOException {
        List<String> large = new ArrayList<>();
        for (Path path : SourceTree.files()) {
            if (Files.size(path) > MAX_FILE_BYTES && !path.toString().contains("/sahkar-tiny/")) {
                large.add(SourceTree.relative(path));
            }
        }
        assertThat(large).isEmpty();
    }

    @Test
    void methodsAreFoundByTheirBraces() {
        String source =
                """
                class A {
                    int[] x = {1};
                    A() {
                    }
                    void b(String s) {
                        if (s.equals("{")) { // }
                            return;
                        }
                    }
                    Runnable r = () -> {
                    };
                }
                """;
        assertThat(JavaText.methods(source))
                .containsExactly(new JavaText.Method("A", 3, 2), new JavaText.Method("b", 5, 5));
    }

    private static List<String> files(Predicate<String> bad) {
        return SourceTree.java().stream()
                .filter(path -> bad.test(SourceTree.read(path)))
                .map(SourceTree::relative)
                .toList();
    }

    private static List<String> lines(Predicate<String> bad) {
        List<String> found = new ArrayList<>();
        for (Path path : SourceTree.java()) {
            int number = 0;
            for (String line : SourceTree.read(path).lines().toList()) {
                number++;
                if (bad.test(line)) {
                    found.add(SourceTree.relative(path) + ":" + number + ": " + line.strip());
                }
            }
        }
        return found;
    }
}
