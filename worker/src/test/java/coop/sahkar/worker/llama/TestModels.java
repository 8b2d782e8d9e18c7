package coop.sahkar.worker.llama;

import coop.sahkar.worker.engine.Sampling;
import coop.sahkar.worker.engine.StageException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The libraries and the model that the tests run with. */
final class TestModels {
    private static final String V05 = "sahkar.test.llamaV05";

    /** Where the bundled library is unpacked. */
    static final Path CACHE = Path.of("target", "native-cache");

    private static @Nullable List<LlamaLibrary> libraries;

    private TestModels() {}

    static LlamaLibrary bundled() {
        return libraries().toList().getFirst();
    }

    /** The bundled library, and v0.5 where a directory with it is named. */
    static synchronized Stream<LlamaLibrary> libraries() {
        if (libraries == null) {
            libraries = loadAll();
        }
        return libraries.stream();
    }

    private static List<LlamaLibrary> loadAll() {
        try {
            List<LlamaLibrary> all = new ArrayList<>();
            all.add(LlamaLibrary.bundled(CACHE));
            String directory = System.getProperty(V05, System.getenv(V05.replace('.', '_')));
            if (directory == null) {
                System.err.println(
                        "SKIPPED: every test of the second ABI; name the directory of a llama.cpp"
                                + " v0.5 release in the property "
                                + V05);
            } else {
                all.add(LlamaLibrary.inDirectory(Path.of(directory)));
            }
            return all;
        } catch (StageException e) {
            throw new IllegalStateException(e);
        }
    }

    static Path resource(String name) {
        URL url = TestModels.class.getResource("/sahkar-tiny/" + name);
        try {
            return Path.of(Objects.requireNonNull(url).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Sahkar Tiny, F16: 6 blocks, width 256, 1536 tokens. */
    static Path tiny() {
        Path file = resource("sahkar-tiny-F16.gguf");
        if (!Files.exists(file)) {
            throw new IllegalStateException(file + " is missing");
        }
        return file;
    }

    static StageOptions options(int kvCells, int maxSequences, int maxRows) {
        return new StageOptions(1, kvCells, maxSequences, maxRows, StageOptions.KvType.F32, false);
    }

    static Sampling greedy() {
        return new Sampling(0, 0, 1, 0, 1, 1, 0, 0, 0, new TreeMap<>(), 0);
    }
}
