package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;

import coop.sahkar.worker.engine.StageException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A loaded llama.cpp. Loading the same one twice is cheap: the system gives the same library again.
 * It stays loaded until the process ends, because its threads and its log outlive any one use of
 * it. Safe for use by many threads.
 */
public final class LlamaLibrary {
    /**
     * {@code libllama.so}, {@code libllama.dylib}, {@code llama.dll}, {@code libllama.v0.5.0.so}.
     */
    private static final Pattern LLAMA =
            Pattern.compile("(lib)?llama(\\.v?[0-9.]+)?\\.(so|dylib|dll)(\\.[0-9.]+)?");

    private static final Pattern GGML_BASE =
            Pattern.compile("(lib)?ggml-base(\\.v?[0-9.]+)?\\.(so|dylib|dll)(\\.[0-9.]+)?");

    private static final Pattern GGML =
            Pattern.compile("(lib)?ggml(\\.v?[0-9.]+)?\\.(so|dylib|dll)(\\.[0-9.]+)?");

    /** Never closed: what is loaded here stays loaded. */
    private static final Arena PROCESS = Arena.ofShared();

    private final LlamaAbi abi;
    private final LlamaLog log;
    private final ModelCalls models;
    private final ContextCalls contexts;
    private final SamplerCalls samplers;

    private LlamaLibrary(Symbols symbols, LlamaAbi abi) {
        this.abi = abi;
        models = new ModelCalls(symbols);
        contexts = new ContextCalls(symbols);
        samplers = new SamplerCalls(symbols, abi);
        log = LlamaLog.install(symbols, PROCESS);
    }

    /**
     * The library that comes with this program, unpacked under {@code cache} where needed.
     *
     * @throws StageException if there is none for this platform, or it cannot be unpacked or loaded
     */
    public static LlamaLibrary bundled(Path cache) throws StageException {
        Path file = BundledLibrary.unpack(cache);
        return load(file, List.of(file), false);
    }

    /**
     * A llama.cpp release that was unpacked in {@code directory}: its {@code libllama} with the
     * {@code libggml} files beside it, whose backends (processors, GPUs) are loaded too.
     *
     * @throws StageException if there is no such library, or Sahkar does not know the release
     */
    public static LlamaLibrary inDirectory(Path directory) throws StageException {
        Path folder = directory.toAbsolutePath();
        Path llama =
                find(folder, LLAMA)
                        .orElseThrow(() ->
                                new StageException(
                                        "no llama.cpp library (libllama.so, libllama.dylib"
                                                + " or llama.dll) in "
                                                + folder
                                                + "; name the folder of an unpacked"
                                                + " llama.cpp release"));
        // What llama needs comes first: Windows would not look for it in this folder.
        List<Path> files = new ArrayList<>();
        find(folder, GGML_BASE).ifPresent(files::add);
        find(folder, GGML).ifPresent(files::add);
        files.add(llama);
        return load(llama, files, true);
    }

    private static Optional<Path> find(Path folder, Pattern name) throws StageException {
        if (!Files.isDirectory(folder)) {
            throw new StageException(
                    folder + " is not a folder; name the folder of an unpacked llama.cpp release");
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> name.matcher(f.getFileName().toString()).matches())
                    .sorted()
                    .findFirst();
        } catch (IOException e) {
            throw new StageException("the folder " + folder + " cannot be read: " + e, e);
        }
    }

    private static LlamaLibrary load(Path origin, List<Path> files, boolean backends)
            throws StageException {
        try {
            SymbolLookup lookup =
                    files.stream()
                            .map(f -> open(f))
                            .reduce((earlier, later) -> later.or(earlier))
                            .orElseThrow();
            Symbols symbols = new Symbols(lookup, origin.toString());
            LlamaAbi abi = LlamaAbi.of(symbols, origin.toString());
            LlamaLibrary library = new LlamaLibrary(symbols, abi);
            start(symbols, backends ? origin.getParent() : null);
            return library;
        } catch (UnsupportedLibraryException e) {
            throw new StageException(String.valueOf(e.getMessage()), e);
        }
    }

    private static SymbolLookup open(Path file) {
        try {
            return SymbolLookup.libraryLookup(file.toAbsolutePath(), PROCESS);
        } catch (IllegalArgumentException e) {
            throw new UnsupportedLibraryException(
                    "the library "
                            + file
                            + " cannot be loaded ("
                            + e
                            + "); check that it is whole, made for this machine, and that the"
                            + " libraries it needs are installed");
        }
    }

    private static void start(Symbols symbols, @Nullable Path backends) {
        try (Arena arena = Arena.ofConfined()) {
            if (backends != null && symbols.has("ggml_backend_load_all_from_path")) {
                MethodHandle loadAll = symbols.ofVoid("ggml_backend_load_all_from_path", ADDRESS);
                MemorySegment folder = arena.allocateFrom(backends.toString());
                loadAll.invokeExact(folder);
            }
            MethodHandle init = symbols.ofVoid("llama_backend_init");
            init.invokeExact();
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** The release, as {@code b4916} or {@code v0.5.0}. */
    public String release() {
        return abi.release();
    }

    /** Sequences one stage can tell apart at most. */
    public int maxSequences() {
        return abi.maxSequences();
    }

    LlamaAbi abi() {
        return abi;
    }

    LlamaLog log() {
        return log;
    }

    ModelCalls models() {
        return models;
    }

    ContextCalls contexts() {
        return contexts;
    }

    SamplerCalls samplers() {
        return samplers;
    }
}
