package coop.sahkar.deploy.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every module tells its version: status pages and reports of workers show it. */
class JarVersionIT {
    private static final Path LIBRARIES = SourceTree.top().resolve("deploy/target/sahkar/lib");

    @Test
    void everyJarOfOursCarriesTheVersionInItsName() throws IOException {
        Map<String, String> versions = new TreeMap<>();
        try (Stream<Path> jars = Files.list(LIBRARIES)) {
            for (Path jar : jars.toList()) {
                String name = jar.getFileName().toString();
                if (name.startsWith("sahkar-")) {
                    versions.put(name, version(jar));
                }
            }
        }
        assertThat(versions).hasSizeGreaterThanOrEqualTo(6);
        assertThat(versions)
                .allSatisfy((name, version) -> assertThat(name).endsWith("-" + version + ".jar"));
    }

    private static String version(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            Attributes main = file.getManifest().getMainAttributes();
            return String.valueOf(main.getValue(Attributes.Name.IMPLEMENTATION_VERSION));
        }
    }
}
