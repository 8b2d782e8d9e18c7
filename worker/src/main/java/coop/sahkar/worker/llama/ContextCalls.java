package coop.sahkar.worker.llama;

import static java.lang.foreign.MemoryLayout.paddingLayout;
import static java.lang.foreign.MemoryLayout.structLayout;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/** The C functions about a context and the tensors of its graph; for its owner's thread only. */
final class ContextCalls {
    static final StructLayout BATCH =
            structLayout(
                    JAVA_INT.withName("n_tokens"),
                    paddingLayout(4),
                    ADDRESS.withName("token"),
                    ADDRESS.withName("embd"),
                    ADDRESS.withName("pos"),
                    ADDRESS.withName("n_seq_id"),
                    ADDRESS.withName("seq_id"),
                    ADDRESS.withName("logits"));

    /** More than {@code struct ggml_tensor} has in any release. */
    private static final int TENSOR_BYTES = 4096;

    private final MethodHandle free;
    private final MethodHandle cells;
    private final MethodHandle decode;
    private final MethodHandle logits;
    private final MethodHandle stateBytes;
    private final MethodHandle readState;
    private final MethodHandle writeState;
    private final MethodHandle tensorBytes;
    private final MethodHandle readTensor;
    private final MethodHandle writeTensor;
    private final long tensorNameOffset;

    ContextCalls(Symbols symbols) {
        free = symbols.ofVoid("llama_free", ADDRESS);
        cells = symbols.of("llama_n_ctx", JAVA_INT, ADDRESS);
        decode = symbols.of("llama_decode", JAVA_INT, ADDRESS, BATCH);
        logits = symbols.of("llama_get_logits_ith", ADDRESS, ADDRESS, JAVA_INT);
        stateBytes = symbols.of("llama_state_seq_get_size", JAVA_LONG, ADDRESS, JAVA_INT);
        readState =
                symbols.of(
                        "llama_state_seq_get_data",
                        JAVA_LONG,
                        ADDRESS,
                        ADDRESS,
                        JAVA_LONG,
                        JAVA_INT);
        writeState =
                symbols.of(
                        "llama_state_seq_set_data",
                        JAVA_LONG,
                        ADDRESS,
                        ADDRESS,
                        JAVA_LONG,
                        JAVA_INT);
        // Addresses of tensors are plain numbers here, which keeps the evaluation callback cheap.
        tensorBytes = symbols.of("ggml_nbytes", JAVA_LONG, JAVA_LONG);
        readTensor =
                symbols.ofVoid("ggml_backend_tensor_get", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
        writeTensor =
                symbols.ofVoid("ggml_backend_tensor_set", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
        tensorNameOffset = findNameOffset(symbols.of("ggml_get_name", ADDRESS, ADDRESS));
    }

    /** ggml_get_name answers an address inside the struct, so it also tells where the name is. */
    private static long findNameOffset(MethodHandle getName) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tensor = arena.allocate(TENSOR_BYTES, 16);
            MemorySegment name = (MemorySegment) getName.invokeExact(tensor);
            long offset = name.address() - tensor.address();
            if (offset <= 0 || offset >= TENSOR_BYTES) {
                throw new UnsupportedLibraryException("ggml_get_name answers outside the tensor");
            }
            return offset;
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Bytes from a tensor's address to its name, which ends with 0. */
    long tensorNameOffset() {
        return tensorNameOffset;
    }

    void free(MemorySegment context) {
        try {
            free.invokeExact(context);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Positions the KV cache really has. */
    int cells(MemorySegment context) {
        try {
            return (int) cells.invokeExact(context);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** 0 is success, 1 no room in the KV cache, anything else an error. */
    int decode(MemorySegment context, MemorySegment batch) {
        try {
            return (int) decode.invokeExact(context, batch);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Where the logits of a row stand, or NULL. */
    MemorySegment logits(MemorySegment context, int row) {
        try {
            return (MemorySegment) logits.invokeExact(context, row);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Bytes of a sequence's state: its keys and values, and where they belong. */
    long stateBytes(MemorySegment context, int sequence) {
        try {
            return (long) stateBytes.invokeExact(context, sequence);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Copies a sequence's state out; how many bytes were written, 0 when it did not fit. */
    long readState(MemorySegment context, MemorySegment target, int sequence) {
        try {
            return (long) readState.invokeExact(context, target, target.byteSize(), sequence);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Puts a state into a sequence; how many bytes were read, 0 when there was no room. */
    long writeState(MemorySegment context, MemorySegment state, int sequence) {
        try {
            return (long) writeState.invokeExact(context, state, state.byteSize(), sequence);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    long tensorBytes(long tensor) {
        try {
            return (long) tensorBytes.invokeExact(tensor);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Copies the first {@code bytes} of a tensor, wherever it lives, into {@code target}. */
    void readTensor(long tensor, MemorySegment target, long bytes) {
        try {
            readTensor.invokeExact(tensor, target, 0L, bytes);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Copies {@code bytes} into a tensor, from its first on. */
    void writeTensor(long tensor, MemorySegment source, long bytes) {
        try {
            writeTensor.invokeExact(tensor, source, 0L, bytes);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }
}
