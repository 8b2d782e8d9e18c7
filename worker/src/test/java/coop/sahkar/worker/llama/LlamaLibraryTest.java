package coop.sahkar.worker.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.worker.engine.StageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlamaLibraryTest {
    @Test
    void theBundledLibraryIsKnown() {
        assertThat(TestModels.bundled().release()).isEqualTo("b4916");
        assertThat(TestModels.bundled().maxSequences()).isEqualTo(64);
    }

    @Test
    void aNamedDirectoryIsV05() {
        assertThat(TestModels.libraries().skip(1))
                .allSatisfy(library -> assertThat(library.release()).contains("0.5"));
    }

    @Test
    void unpacksOnceAndAgainWhenDamaged(@TempDir Path cache) throws Exception {
        Path file = BundledLibrary.unpack(cache);
        byte[] whole = Files.readAllBytes(file);
        FileTime written = Files.getLastModifiedTime(file);
        assertThat(BundledLibrary.unpack(cache)).isEqualTo(file);
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(written);

        Files.write(file, new byte[] {1, 2, 3});
        assertThat(Files.readAllBytes(BundledLibrary.unpack(cache))).isEqualTo(whole);
        try (Stream<Path> left = Files.list(file.getParent())) {
            assertThat(left).containsExactly(file);
        }
    }

    @Test
    void aCacheThatCannotBeWrittenGetsASentence(@TempDir Path folder) throws IOException {
        Path notAFolder = Files.writeString(folder.resolve("file"), "");
        assertThatThrownBy(() -> LlamaLibrary.bundled(notAFolder.resolve("cache")))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("make that folder writable");
    }

    @ParameterizedTest
    @CsvSource({
        "Linux,amd64,/de/kherud/llama/Linux/x86_64/libjllama.so",
        "Linux,aarch64,/de/kherud/llama/Linux/aarch64/libjllama.so",
        "Mac OS X,aarch64,/de/kherud/llama/Mac/aarch64/libjllama.dylib",
        "Mac OS X,x86_64,/de/kherud/llama/Mac/x86_64/libjllama.dylib"
    })
    void everySupportedPlatformHasItsLibraryInTheJar(String os, String arch, String resource)
            throws StageException {
        assertThat(BundledLibrary.resource(os, arch)).isEqualTo(resource);
        assertThat(LlamaLibrary.class.getResource(resource)).isNotNull();
    }

    @Test
    void otherPlatformsAreToldWhatToDo() {
        for (List<String> platform :
                List.of(List.of("Windows 11", "amd64"), List.of("Linux", "riscv64"))) {
            assertThatThrownBy(
                            () -> BundledLibrary.resource(platform.getFirst(), platform.getLast()))
                    .isInstanceOf(StageException.class)
                    .hasMessageContaining(platform.getFirst())
                    .hasMessageContaining("download a llama.cpp release");
        }
    }

    @Test
    void aFolderWithoutTheLibraryGetsASentence(@TempDir Path folder) {
        assertThatThrownBy(() -> LlamaLibrary.inDirectory(folder))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("no llama.cpp library");
        assertThatThrownBy(() -> LlamaLibrary.inDirectory(folder.resolve("missing")))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("is not a folder");
    }

    @Test
    void aDamagedLibraryGetsASentence(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("libllama.so"), "this is no library");
        assertThatThrownBy(() -> LlamaLibrary.inDirectory(folder))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("cannot be loaded")
                .hasMessageContaining("libllama.so");
    }

    @Test
    void anotherLibraryUnderThatNameGetsASentence(@TempDir Path folder) throws IOException {
        Path other = Path.of(System.getProperty("java.home"), "lib", System.mapLibraryName("zip"));
        Files.copy(other, folder.resolve(System.mapLibraryName("llama")));
        assertThatThrownBy(() -> LlamaLibrary.inDirectory(folder))
                .isInstanceOf(StageException.class)
                .hasMessageContaining("a release of llama.cpp that Sahkar does not know");
    }
}
