package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.BitSet;

/**
 * Where releases of llama.cpp differ: the layout of the parameter structs, their defaults, the
 * calls that edit the KV cache, and one sampler. Everything else the binding uses is the same in
 * all.
 *
 * <p>A struct's layout cannot be asked for, so each release is recognised twice: by the functions
 * it has, and by whether the defaults it fills in read back as the values they are known to have.
 */
abstract sealed class LlamaAbi permits AbiB4916, AbiV05 {
    /** Room for a struct larger than the one expected, so that a mismatch is seen, not suffered. */
    private static final int PROBE_BYTES = 4096;

    private static final ValueLayout.OfInt COUNT = ValueLayout.JAVA_INT_UNALIGNED;

    private static final byte UNTOUCHED = (byte) 0xA5;

    private final StructLayout modelLayout;
    private final StructLayout contextLayout;
    private final MethodHandle modelDefaults;
    private final MethodHandle contextDefaults;
    private final MethodHandle loadModel;
    private final MethodHandle openContext;

    LlamaAbi(Symbols symbols, StructLayout modelLayout, StructLayout contextLayout) {
        this.modelLayout = modelLayout;
        this.contextLayout = contextLayout;
        modelDefaults = symbols.of("llama_model_default_params", modelLayout);
        contextDefaults = symbols.of("llama_context_default_params", contextLayout);
        loadModel = symbols.of("llama_model_load_from_file", ADDRESS, ADDRESS, modelLayout);
        openContext = symbols.of("llama_init_from_model", ADDRESS, ADDRESS, contextLayout);
    }

    /** Picks the ABI of a library, or refuses it. */
    static LlamaAbi of(Symbols symbols, String library) {
        LlamaAbi abi;
        if (symbols.has("llama_memory_seq_rm") && symbols.has("llama_version")) {
            abi = new AbiV05(symbols);
        } else if (symbols.has("llama_kv_self_seq_rm") && !symbols.has("llama_memory_seq_rm")) {
            abi = new AbiB4916(symbols);
        } else {
            throw unsupported(library);
        }
        if (!abi.isAsExpected()) {
            throw unsupported(library);
        }
        return abi;
    }

    private static UnsupportedLibraryException unsupported(String library) {
        return new UnsupportedLibraryException(
                "the library "
                        + library
                        + " is a release of llama.cpp that Sahkar does not know; it knows b4916 and"
                        + " v0.5: use the bundled library or a release of v0.5");
    }

    private boolean isAsExpected() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment probe = arena.allocate(PROBE_BYTES, 16).fill(UNTOUCHED);
            Struct model = modelDefaults(probe);
            boolean modelFits = isUntouchedAfter(probe, modelLayout) && knowsModel(model);
            probe.fill(UNTOUCHED);
            Struct context = contextDefaults(probe);
            return modelFits && isUntouchedAfter(probe, contextLayout) && knowsContext(context);
        }
    }

    private static boolean isUntouchedAfter(MemorySegment probe, StructLayout layout) {
        for (long at = layout.byteSize(); at < probe.byteSize(); at++) {
            if (probe.get(JAVA_BYTE, at) != UNTOUCHED) {
                return false;
            }
        }
        return true;
    }

    private Struct modelDefaults(MemorySegment memory) {
        try {
            SegmentAllocator here = (size, align) -> memory.asSlice(0, size);
            return new Struct(modelLayout, (MemorySegment) modelDefaults.invokeExact(here));
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    private Struct contextDefaults(MemorySegment memory) {
        try {
            SegmentAllocator here = (size, align) -> memory.asSlice(0, size);
            return new Struct(contextLayout, (MemorySegment) contextDefaults.invokeExact(here));
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /**
     * Loads a GGUF file.
     *
     * @param gpuLayers how many blocks go to a GPU, where the library has one
     * @return the model, or NULL when llama.cpp refuses; its log then says why
     */
    final MemorySegment loadModel(String path, int gpuLayers) {
        try (Arena arena = Arena.ofConfined()) {
            Struct params = modelDefaults(arena.allocate(modelLayout));
            fillModel(params, gpuLayers);
            return (MemorySegment) loadModel.invokeExact(arena.allocateFrom(path), params.memory());
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Opens a context, or returns NULL when llama.cpp refuses; its log then says why. */
    final MemorySegment openContext(MemorySegment model, ContextWish wish) {
        try (Arena arena = Arena.ofConfined()) {
            Struct params = contextDefaults(arena.allocate(contextLayout));
            StageOptions options = wish.options();
            params.set("n_ctx", options.kvCells())
                    .set("n_batch", options.maxRows())
                    .set("n_ubatch", options.maxRows())
                    .set("n_seq_max", options.maxSequences())
                    .set("n_threads", options.threads())
                    .set("n_threads_batch", options.threads())
                    .set("pooling_type", 0)
                    .set("type_k", options.kvType().ggmlType)
                    .set("type_v", options.kvType().ggmlType)
                    .set("cb_eval", wish.evalCallback())
                    .set("embeddings", wish.hiddenStates())
                    .set("offload_kqv", wish.gpu())
                    .set("no_perf", true);
            fillContext(params, wish);
            return (MemorySegment) openContext.invokeExact(model, params.memory());
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** The defaults both releases share, as a check of the layout. */
    boolean knowsContext(Struct params) {
        return params.getInt("n_ctx") == 512
                && params.getInt("n_batch") == 2048
                && params.getInt("n_ubatch") == 512
                && params.getInt("n_seq_max") == 1
                && params.getInt("rope_scaling_type") == -1
                && params.getFloat("yarn_ext_factor") == -1f
                && params.getFloat("defrag_thold") == -1f
                && params.getPointer("cb_eval") == 0
                && params.getPointer("cb_eval_user_data") == 0
                && params.getInt("type_k") == 1
                && params.getInt("type_v") == 1
                && params.getBool("embeddings") == 0
                && params.getBool("offload_kqv") == 1
                && (params.getBool("no_perf") & ~1) == 0
                && params.getPointer("abort_callback") == 0;
    }

    /** Whether the model's parameters both releases share read back as they should. */
    boolean knowsModel(Struct params) {
        return params.getPointer("devices") == 0
                && params.getInt("split_mode") == 1
                && params.getPointer("tensor_split") == 0
                && params.getPointer("kv_overrides") == 0
                && params.getBool("vocab_only") == 0
                && params.getBool("check_tensors") == 0;
    }

    void fillModel(Struct params, int gpuLayers) {
        params.set("n_gpu_layers", gpuLayers);
    }

    abstract void fillContext(Struct params, ContextWish wish);

    /** How messages name the release. */
    abstract String release();

    /** Sequences a context can tell apart at most. */
    abstract int maxSequences();

    /**
     * Computes a batch.
     *
     * @return 0 for success, else llama.cpp's code
     */
    int decode(ContextCalls calls, MemorySegment context, MemorySegment batch) {
        return calls.decode(context, batch);
    }

    /** The same for a batch whose input comes in the midst of it. */
    int decodeLate(ContextCalls calls, MemorySegment context, MemorySegment batch) {
        return calls.decode(context, batch);
    }

    /** Called in the midst of {@link #decodeLate} when the input has come. */
    void beforeComputing() {}

    /** Whether the model keeps a running state that cannot be cut back to a position. */
    abstract boolean isRecurrent(MemorySegment model);

    /** Removes the positions of a sequence from {@code position} on. */
    abstract void truncate(MemorySegment context, int sequence, int position);

    /**
     * Whether a sequence's state, as {@code llama_state_seq_get_data} writes it, begins as that of
     * the positions from 0 to {@code positions} does, each once. What comes behind, keys and
     * values, llama.cpp measures itself when it reads them.
     */
    final boolean isState(MemorySegment state, int positions) {
        int[] head = stateHead();
        long cells = (long) head.length * Integer.BYTES;
        long end = cells + Integer.BYTES + positions * cellBytes();
        if (state.byteSize() < end || state.get(COUNT, cells) != positions) {
            return false;
        }
        for (int i = 0; i < head.length; i++) {
            if (state.get(COUNT, (long) i * Integer.BYTES) != head[i]) {
                return false;
            }
        }
        BitSet seen = new BitSet(positions);
        for (int i = 0; i < positions; i++) {
            int position = state.get(COUNT, cells + Integer.BYTES + i * cellBytes());
            if (position < 0 || position >= positions || seen.get(position)) {
                return false;
            }
            seen.set(position);
        }
        return true;
    }

    /** What a sequence's state begins with, before it says of how many cells it is. */
    abstract int[] stateHead();

    /** Bytes that stand for one cell behind that, its position first. */
    abstract long cellBytes();

    /** Makes {@code to} share the first {@code end} positions of {@code from}. */
    abstract void copy(MemorySegment context, int from, int to, int end);

    /**
     * Whether a result of {@code llama_decode} says that the KV cache has no room for the batch.
     */
    abstract boolean meansNoRoom(int code);

    /** Opens a sampler that penalizes the last {@code window} tokens it was told of. */
    abstract MemorySegment penalties(
            int vocabulary, int window, float repetition, float frequency, float presence);

    /** Moves the used KV cells together; false where a batch needs no contiguous cells. */
    abstract boolean compact(MemorySegment context);
}
