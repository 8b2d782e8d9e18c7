package coop.sahkar.worker.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.StageException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The weights of one shard, in native memory and never on the Java heap. Many stages may compute
 * with one model; it is closed after them. Safe for use by many threads; what is called after
 * {@link #close} throws {@link IllegalStateException}.
 */
public final class LlamaModel implements AutoCloseable {
    private static final byte[] MAGIC = "GGUF".getBytes(UTF_8);
    private static final int METADATA_BYTES = 4096;

    /** Loads one after the other, so that the errors in llama.cpp's log are those of this load. */
    private static final ReentrantLock LOADING = new ReentrantLock();

    private final LlamaLibrary library;
    private final Path file;
    private final int gpuLayers;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment handle;
    private final LlamaVocabulary vocabulary;
    private int openStages;

    private LlamaModel(LlamaLibrary library, Path file, int gpuLayers, MemorySegment raw) {
        this.library = library;
        this.file = file;
        this.gpuLayers = gpuLayers;
        handle = raw.reinterpret(arena, null);
        MemorySegment vocabularyHandle = library.models().vocabulary(handle);
        vocabulary =
                new LlamaVocabulary(library.models(), vocabularyHandle.reinterpret(arena, null));
    }

    /**
     * Loads a shard, or a whole model, from a GGUF file.
     *
     * @param gpuLayers how many of its blocks go to a GPU, where the library has one; 0 is none
     * @throws StageException if the file is not there, damaged, or of a kind that cannot be served
     */
    public static LlamaModel load(LlamaLibrary library, Path file, int gpuLayers)
            throws StageException {
        checkFile(file);
        MemorySegment raw;
        LOADING.lock();
        try {
            library.log().forgetErrors();
            raw = library.abi().loadModel(file.toAbsolutePath().toString(), gpuLayers);
            if (raw.address() == 0) {
                throw refused(file, library.log().errors());
            }
        } finally {
            LOADING.unlock();
        }
        LlamaModel model = new LlamaModel(library, file, gpuLayers, raw);
        model.refuseUnservable();
        return model;
    }

    private static void checkFile(Path file) throws StageException {
        try (InputStream in = Files.newInputStream(file)) {
            if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
                throw new StageException(
                        file + " is not a GGUF file; check that it was downloaded whole");
            }
        } catch (IOException e) {
            throw new StageException("the model file " + file + " cannot be read: " + e, e);
        }
    }

    private static StageException refused(Path file, String errors) {
        return new StageException(
                "llama.cpp cannot load "
                        + file
                        + (errors.isEmpty() ? "" : " (" + errors + ")")
                        + "; fetch the file again, or use a model that this llama.cpp supports");
    }

    private void refuseUnservable() throws StageException {
        boolean recurrent = library.abi().isRecurrent(handle);
        if (recurrent || library.models().hasEncoder(handle)) {
            close();
            throw new StageException(
                    file
                            + " holds "
                            + (recurrent
                                    ? "a recurrent model, whose state cannot be cut back to a"
                                            + " position"
                                    : "a model with an encoder")
                            + "; Sahkar serves decoder-only transformers");
        }
    }

    /** Floats of one hidden state. */
    public int width() {
        return library.models().width(handle);
    }

    /** Blocks in this file. */
    public int blocks() {
        return library.models().blocks(handle);
    }

    /** Positions of the longest text that the model was trained on. */
    public int trainedContext() {
        return library.models().trainedContext(handle);
    }

    /**
     * A value of the file's metadata as text, such as {@code general.architecture} or {@code
     * tokenizer.chat_template}; nothing for arrays and keys it lacks.
     */
    public Optional<String> metadata(String key) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment name = call.allocateFrom(key);
            MemorySegment value = call.allocate(METADATA_BYTES);
            int length = library.models().metadata(handle, name, value);
            if (length >= METADATA_BYTES) {
                value = call.allocate(length + 1L);
                length = library.models().metadata(handle, name, value);
            }
            return length < 0
                    ? Optional.empty()
                    : Optional.of(
                            new String(
                                    value.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE),
                                    UTF_8));
        }
    }

    /**
     * The tokens of the model; valid as long as the model is open.
     *
     * @throws IllegalStateException if this is a middle shard, which has none
     */
    public LlamaVocabulary vocabulary() {
        if (!vocabulary.exists()) {
            throw new IllegalStateException(file + " is a middle shard and holds no vocabulary");
        }
        return vocabulary;
    }

    /**
     * Opens a stage; the calling thread owns it from then on.
     *
     * @param span the blocks that this file holds, of the whole model's {@code blockCount}
     * @throws StageException if the file holds another number of blocks, or memory is short
     */
    public LlamaStage openStage(Span span, int blockCount, StageOptions options)
            throws StageException {
        return LlamaStage.open(this, span, blockCount, options);
    }

    /** Opens the stage of a file that holds a whole model. */
    public LlamaStage openWhole(StageOptions options) throws StageException {
        return openStage(new Span(0, blocks()), blocks(), options);
    }

    LlamaLibrary library() {
        return library;
    }

    boolean usesGpu() {
        return gpuLayers != 0;
    }

    Path file() {
        return file;
    }

    /** Opens a context; it counts as open until {@link #contextClosed}. */
    synchronized MemorySegment openContext(ContextWish wish) throws StageException {
        MemorySegment context;
        LOADING.lock();
        try {
            library.log().forgetErrors();
            context = library.abi().openContext(handle, wish);
            if (context.address() == 0) {
                throw new StageException(
                        "llama.cpp cannot open a context of "
                                + wish.options().kvCells()
                                + " positions for "
                                + file
                                + " ("
                                + library.log().errors()
                                + "); lower the number of positions, or free memory");
            }
        } finally {
            LOADING.unlock();
        }
        openStages++;
        return context;
    }

    synchronized void contextClosed() {
        openStages--;
    }

    /**
     * Frees the weights. A second call does nothing.
     *
     * @throws IllegalStateException if a stage is open or a vocabulary call is running; the model
     *     stays open then
     */
    @Override
    public synchronized void close() {
        if (!arena.scope().isAlive()) {
            return;
        }
        if (openStages > 0) {
            throw new IllegalStateException(
                    "close the %d open stages of %s first".formatted(openStages, file));
        }
        MemorySegment raw = MemorySegment.ofAddress(handle.address());
        arena.close();
        library.models().free(raw);
    }
}
