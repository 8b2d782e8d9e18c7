package coop.sahkar.worker.llama;

import static java.lang.foreign.MemoryLayout.paddingLayout;
import static java.lang.foreign.MemoryLayout.structLayout;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** llama.cpp b4916, the build inside {@code de.kherud:llama} 4.2.0. */
final class AbiB4916 extends LlamaAbi {
    private static final ReentrantLock TURN = new ReentrantLock();

    private static final long MOST_SPINNING_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private static final StructLayout MODEL_PARAMS =
            structLayout(
                    ADDRESS.withName("devices"),
                    JAVA_INT.withName("n_gpu_layers"),
                    JAVA_INT.withName("split_mode"),
                    JAVA_INT.withName("main_gpu"),
                    paddingLayout(4),
                    ADDRESS.withName("tensor_split"),
                    ADDRESS.withName("progress_callback"),
                    ADDRESS.withName("progress_callback_user_data"),
                    ADDRESS.withName("kv_overrides"),
                    JAVA_BOOLEAN.withName("vocab_only"),
                    JAVA_BOOLEAN.withName("use_mmap"),
                    JAVA_BOOLEAN.withName("use_mlock"),
                    JAVA_BOOLEAN.withName("check_tensors"),
                    paddingLayout(4));

    private static final StructLayout CONTEXT_PARAMS =
            structLayout(
                    JAVA_INT.withName("n_ctx"),
                    JAVA_INT.withName("n_batch"),
                    JAVA_INT.withName("n_ubatch"),
                    JAVA_INT.withName("n_seq_max"),
                    JAVA_INT.withName("n_threads"),
                    JAVA_INT.withName("n_threads_batch"),
                    JAVA_INT.withName("rope_scaling_type"),
                    JAVA_INT.withName("pooling_type"),
                    JAVA_INT.withName("attention_type"),
                    JAVA_FLOAT.withName("rope_freq_base"),
                    JAVA_FLOAT.withName("rope_freq_scale"),
                    JAVA_FLOAT.withName("yarn_ext_factor"),
                    JAVA_FLOAT.withName("yarn_attn_factor"),
                    JAVA_FLOAT.withName("yarn_beta_fast"),
                    JAVA_FLOAT.withName("yarn_beta_slow"),
                    JAVA_INT.withName("yarn_orig_ctx"),
                    JAVA_FLOAT.withName("defrag_thold"),
                    paddingLayout(4),
                    ADDRESS.withName("cb_eval"),
                    ADDRESS.withName("cb_eval_user_data"),
                    JAVA_INT.withName("type_k"),
                    JAVA_INT.withName("type_v"),
                    JAVA_BOOLEAN.withName("logits_all"),
                    JAVA_BOOLEAN.withName("embeddings"),
                    JAVA_BOOLEAN.withName("offload_kqv"),
                    JAVA_BOOLEAN.withName("flash_attn"),
                    JAVA_BOOLEAN.withName("no_perf"),
                    paddingLayout(3),
                    ADDRESS.withName("abort_callback"),
                    ADDRESS.withName("abort_callback_data"));

    private static final int MAX_SEQUENCES = 64;

    private final MethodHandle isRecurrent;
    private final MethodHandle remove;
    private final MethodHandle copy;
    private final MethodHandle penalties;
    private final MethodHandle defragment;
    private final MethodHandle update;

    AbiB4916(Symbols symbols) {
        super(symbols, MODEL_PARAMS, CONTEXT_PARAMS);
        isRecurrent = symbols.of("llama_model_is_recurrent", JAVA_BOOLEAN, ADDRESS);
        remove =
                symbols.of(
                        "llama_kv_self_seq_rm",
                        JAVA_BOOLEAN,
                        ADDRESS,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_INT);
        penalties =
                symbols.of(
                        "llama_sampler_init_penalties",
                        ADDRESS,
                        JAVA_INT,
                        JAVA_FLOAT,
                        JAVA_FLOAT,
                        JAVA_FLOAT);
        copy =
                symbols.ofVoid(
                        "llama_kv_self_seq_cp", ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
        defragment = symbols.ofVoid("llama_kv_self_defrag", ADDRESS);
        update = symbols.ofVoid("llama_kv_self_update", ADDRESS);
    }

    @Override
    boolean knowsModel(Struct params) {
        return super.knowsModel(params)
                && params.getInt("n_gpu_layers") == 0
                && params.getBool("use_mmap") == 1
                && params.getBool("use_mlock") == 0;
    }

    @Override
    boolean knowsContext(Struct params) {
        return super.knowsContext(params)
                && params.getBool("logits_all") == 0
                && params.getBool("flash_attn") == 0;
    }

    @Override
    void fillModel(Struct params, int gpuLayers) {
        super.fillModel(params, gpuLayers);
        // b4916 rearranges Q4_0 for the processor in a copy; a mapped file would count once more.
        params.set("use_mmap", false);
    }

    @Override
    void fillContext(Struct params, ContextWish wish) {
        params.set("flash_attn", wish.options().flashAttention());
        // Only recurrent models, which are refused, have as many sequences as this says. Others
        // have that many rows of logits cleared before each batch: at the tail of a small model
        // that took half a millisecond of each token.
        params.set("n_seq_max", 1);
    }

    @Override
    String release() {
        return "b4916";
    }

    /**
     * {@inheritDoc}
     *
     * <p>One at a time in the whole process: b4916 counts the parts of a matrix product in a static
     * variable (tinyBLAS), so two contexts that compute at once skip parts and give wrong numbers.
     */
    @Override
    int decode(ContextCalls calls, MemorySegment context, MemorySegment batch) {
        TURN.lock();
        try {
            return super.decode(calls, context, batch);
        } finally {
            TURN.unlock();
        }
    }

    /** {@inheritDoc} Others may compute until its input has come. */
    @Override
    int decodeLate(ContextCalls calls, MemorySegment context, MemorySegment batch) {
        try {
            return super.decodeLate(calls, context, batch);
        } finally {
            if (TURN.isHeldByCurrentThread()) {
                TURN.unlock();
            }
        }
    }

    @Override
    void beforeComputing() {
        // Whoever passed the input on is about to leave: to sleep would take longer.
        long began = System.nanoTime();
        while (!TURN.tryLock()) {
            if (System.nanoTime() - began > MOST_SPINNING_NANOS) {
                TURN.lock();
                return;
            }
            Thread.onSpinWait();
        }
    }

    @Override
    int maxSequences() {
        return MAX_SEQUENCES;
    }

    @Override
    boolean isRecurrent(MemorySegment model) {
        try {
            return (boolean) isRecurrent.invokeExact(model);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    @Override
    void truncate(MemorySegment context, int sequence, int position) {
        try {
            boolean removed = (boolean) remove.invokeExact(context, sequence, position, -1);
            if (!removed) {
                throw new IllegalStateException("llama.cpp cannot truncate this model's state");
            }
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    @Override
    int[] stateHead() {
        return new int[0];
    }

    /** The position, and how many sequences it is of besides: 0. */
    @Override
    long cellBytes() {
        return 2L * Integer.BYTES;
    }

    @Override
    void copy(MemorySegment context, int from, int to, int end) {
        try {
            copy.invokeExact(context, from, to, 0, end);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    @Override
    MemorySegment penalties(
            int vocabulary, int window, float repetition, float frequency, float presence) {
        try {
            return (MemorySegment) penalties.invokeExact(window, repetition, frequency, presence);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** This release documents 1 and answers -3. */
    @Override
    boolean meansNoRoom(int code) {
        return code == 1 || code == -3;
    }

    @Override
    boolean compact(MemorySegment context) {
        try {
            defragment.invokeExact(context);
            update.invokeExact(context);
            return true;
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }
}
