package coop.sahkar.worker.llama;

import static java.lang.foreign.MemoryLayout.paddingLayout;
import static java.lang.foreign.MemoryLayout.structLayout;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/** llama.cpp v0.5, the release a donor brings along, often for a GPU. */
final class AbiV05 extends LlamaAbi {
    private static final StructLayout MODEL_PARAMS =
            structLayout(
                    ADDRESS.withName("devices"),
                    ADDRESS.withName("tensor_buft_overrides"),
                    JAVA_INT.withName("n_gpu_layers"),
                    JAVA_INT.withName("split_mode"),
                    JAVA_INT.withName("load_mode"),
                    JAVA_INT.withName("lazy_mode"),
                    JAVA_INT.withName("main_gpu"),
                    paddingLayout(4),
                    ADDRESS.withName("tensor_split"),
                    ADDRESS.withName("progress_callback"),
                    ADDRESS.withName("progress_callback_user_data"),
                    ADDRESS.withName("kv_overrides"),
                    JAVA_BOOLEAN.withName("vocab_only"),
                    JAVA_BOOLEAN.withName("check_tensors"),
                    JAVA_BOOLEAN.withName("use_extra_bufts"),
                    JAVA_BOOLEAN.withName("no_host"),
                    JAVA_BOOLEAN.withName("no_alloc"),
                    JAVA_BOOLEAN.withName("load_mtp"),
                    paddingLayout(2));

    private static final StructLayout CONTEXT_PARAMS =
            structLayout(
                    JAVA_INT.withName("n_ctx"),
                    JAVA_INT.withName("n_batch"),
                    JAVA_INT.withName("n_ubatch"),
                    JAVA_INT.withName("n_seq_max"),
                    JAVA_INT.withName("n_rs_seq"),
                    JAVA_INT.withName("n_outputs_max"),
                    JAVA_INT.withName("n_outputs_max_per_seq"),
                    JAVA_INT.withName("n_threads"),
                    JAVA_INT.withName("n_threads_batch"),
                    JAVA_INT.withName("ctx_type"),
                    JAVA_INT.withName("rope_scaling_type"),
                    JAVA_INT.withName("pooling_type"),
                    JAVA_INT.withName("attention_type"),
                    JAVA_INT.withName("flash_attn_type"),
                    JAVA_FLOAT.withName("rope_freq_base"),
                    JAVA_FLOAT.withName("rope_freq_scale"),
                    JAVA_FLOAT.withName("yarn_ext_factor"),
                    JAVA_FLOAT.withName("yarn_attn_factor"),
                    JAVA_FLOAT.withName("yarn_beta_fast"),
                    JAVA_FLOAT.withName("yarn_beta_slow"),
                    JAVA_INT.withName("yarn_orig_ctx"),
                    JAVA_FLOAT.withName("defrag_thold"),
                    ADDRESS.withName("cb_eval"),
                    ADDRESS.withName("cb_eval_user_data"),
                    JAVA_INT.withName("type_k"),
                    JAVA_INT.withName("type_v"),
                    ADDRESS.withName("abort_callback"),
                    ADDRESS.withName("abort_callback_data"),
                    JAVA_BOOLEAN.withName("embeddings"),
                    JAVA_BOOLEAN.withName("offload_kqv"),
                    JAVA_BOOLEAN.withName("no_perf"),
                    JAVA_BOOLEAN.withName("op_offload"),
                    JAVA_BOOLEAN.withName("swa_full"),
                    JAVA_BOOLEAN.withName("kv_unified"),
                    paddingLayout(2),
                    ADDRESS.withName("samplers"),
                    JAVA_LONG.withName("n_samplers"),
                    ADDRESS.withName("ctx_other"));

    private static final int STATE_MARK = 0xaf143cd8;

    private static final int MAX_SEQUENCES = 256;

    private final MethodHandle isRecurrent;
    private final MethodHandle isHybrid;
    private final MethodHandle memory;
    private final MethodHandle remove;
    private final MethodHandle copy;
    private final MethodHandle penalties;
    private final MethodHandle version;

    AbiV05(Symbols symbols) {
        super(symbols, MODEL_PARAMS, CONTEXT_PARAMS);
        isRecurrent = symbols.of("llama_model_is_recurrent", JAVA_BOOLEAN, ADDRESS);
        isHybrid = symbols.of("llama_model_is_hybrid", JAVA_BOOLEAN, ADDRESS);
        memory = symbols.of("llama_get_memory", ADDRESS, ADDRESS);
        remove =
                symbols.of(
                        "llama_memory_seq_rm", JAVA_BOOLEAN, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT);
        penalties =
                symbols.of(
                        "llama_sampler_init_penalties",
                        ADDRESS,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_FLOAT,
                        JAVA_FLOAT,
                        JAVA_FLOAT);
        copy =
                symbols.ofVoid(
                        "llama_memory_seq_cp", ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
        version = symbols.of("llama_version", ADDRESS);
    }

    @Override
    boolean knowsModel(Struct params) {
        return super.knowsModel(params)
                && params.getPointer("tensor_buft_overrides") == 0
                && params.getInt("main_gpu") == 0
                && params.getBool("use_extra_bufts") == 1
                && params.getBool("no_alloc") == 0;
    }

    @Override
    boolean knowsContext(Struct params) {
        return super.knowsContext(params)
                && params.getInt("flash_attn_type") == -1
                && params.getBool("swa_full") == 1
                && params.getBool("kv_unified") == 0
                && params.getPointer("samplers") == 0;
    }

    /**
     * One cache for all sequences, as in b4916: only so may a sequence share a part of another's
     * positions. The whole window of sliding attention, because only so can it be truncated.
     */
    @Override
    void fillContext(Struct params, ContextWish wish) {
        // It plans for one output of every sequence, and ends the process if that is not allowed.
        int outputs = Math.max(wish.options().maxRows(), wish.options().maxSequences());
        params.set("flash_attn_type", wish.options().flashAttention() ? 1 : 0)
                .set("n_outputs_max", outputs)
                .set("n_outputs_max_per_seq", outputs)
                .set("op_offload", wish.gpu())
                .set("swa_full", true)
                .set("kv_unified", true);
    }

    @Override
    String release() {
        try {
            MemorySegment name = (MemorySegment) version.invokeExact();
            return name.equals(MemorySegment.NULL)
                    ? "v0.5"
                    : name.reinterpret(Long.MAX_VALUE).getString(0);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    @Override
    int maxSequences() {
        return MAX_SEQUENCES;
    }

    @Override
    boolean isRecurrent(MemorySegment model) {
        try {
            return (boolean) isRecurrent.invokeExact(model)
                    || (boolean) isHybrid.invokeExact(model);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    @Override
    void truncate(MemorySegment context, int sequence, int position) {
        try {
            MemorySegment cache = (MemorySegment) memory.invokeExact(context);
            boolean removed = (boolean) remove.invokeExact(cache, sequence, position, -1);
            if (!removed) {
                throw new IllegalStateException("llama.cpp cannot truncate this model's state");
            }
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** A mark of what it is, no flags, one stream. */
    @Override
    int[] stateHead() {
        return new int[] {STATE_MARK, 0, 1};
    }

    /** The position, the number of sequences, which is 1, and which. */
    @Override
    long cellBytes() {
        return 3L * Integer.BYTES;
    }

    @Override
    void copy(MemorySegment context, int from, int to, int end) {
        try {
            MemorySegment cache = (MemorySegment) memory.invokeExact(context);
            copy.invokeExact(cache, from, to, 0, end);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    @Override
    MemorySegment penalties(
            int vocabulary, int window, float repetition, float frequency, float presence) {
        try {
            return (MemorySegment)
                    penalties.invokeExact(vocabulary, window, repetition, frequency, presence);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    @Override
    boolean meansNoRoom(int code) {
        return code == 1;
    }

    @Override
    boolean compact(MemorySegment context) {
        return false;
    }
}
