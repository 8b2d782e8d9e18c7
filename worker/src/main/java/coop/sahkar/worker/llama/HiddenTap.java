package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/**
 * Takes hidden states out of a shard. llama.cpp asks its evaluation callback about every node of
 * the graph. Of a shard that is not the tail this one wants the output of the last block, copies
 * it, and stops the graph there, before the output head is computed; of the tail, and only of
 * batches that ask for it, what the output norm makes.
 *
 * <p>It runs some thirty times per block and batch, so it makes no objects and calls nothing until
 * the name fits: addresses are plain numbers, and the tensor's name is compared as two words.
 */
final class HiddenTap {
    /** All of memory, to read a tensor's name at the address llama.cpp gave. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final int WORD = Long.BYTES;

    /** For who can wait until the batch is through. */
    static final Runnable NOTHING = () -> {};

    private final ContextCalls calls;
    private final long nameOffset;
    private final long[] name = new long[2];
    private final long[] mask = new long[2];
    private final MemorySegment hidden;
    private final boolean stops;
    private final LateInput late;
    private long expectedBytes;
    private Runnable then = NOTHING;
    private boolean armed;
    private boolean taken;
    private @Nullable Throwable failure;

    /**
     * Of a shard that is not the tail.
     *
     * @param lastBlock index, within the shard, of the block whose output is wanted
     * @param late where a batch may wait for its input
     * @param bytes the most hidden states of one batch
     */
    static HiddenTap ofBlock(
            ContextCalls calls, int lastBlock, LateInput late, long bytes, Arena arena) {
        return new HiddenTap(calls, "l_out-" + lastBlock, true, late, bytes, arena);
    }

    /** Of the tail: only of rows whose logits are wanted. */
    static HiddenTap ofNorm(ContextCalls calls, LateInput late, long bytes, Arena arena) {
        return new HiddenTap(calls, "result_norm", false, late, bytes, arena);
    }

    private HiddenTap(
            ContextCalls calls,
            String tensor,
            boolean stops,
            LateInput late,
            long bytes,
            Arena arena) {
        this.calls = calls;
        this.stops = stops;
        this.late = late;
        nameOffset = calls.tensorNameOffset();
        hidden = arena.allocate(bytes, 64);
        byte[] wanted = (tensor + "\0").getBytes(US_ASCII);
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment bytesOfName = scratch.allocate(2L * WORD, WORD);
            MemorySegment bytesOfMask = scratch.allocate(2L * WORD, WORD);
            MemorySegment.copy(MemorySegment.ofArray(wanted), 0, bytesOfName, 0, wanted.length);
            bytesOfMask.asSlice(0, wanted.length).fill((byte) 0xFF);
            for (int word = 0; word < 2; word++) {
                name[word] = bytesOfName.getAtIndex(JAVA_LONG, word);
                mask[word] = bytesOfMask.getAtIndex(JAVA_LONG, word);
            }
        }
    }

    /** The function pointer for {@code cb_eval}; valid as long as the arena. */
    MemorySegment callback(Arena arena) {
        try {
            return Linker.nativeLinker()
                    .upcallStub(
                            MethodHandles.lookup()
                                    .findVirtual(
                                            HiddenTap.class,
                                            "onNode",
                                            MethodType.methodType(
                                                    boolean.class,
                                                    long.class,
                                                    boolean.class,
                                                    long.class))
                                    .bindTo(this),
                            FunctionDescriptor.of(JAVA_BOOLEAN, JAVA_LONG, JAVA_BOOLEAN, JAVA_LONG),
                            arena);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the evaluation callback is not where it should be", e);
        }
    }

    /**
     * Prepares for a batch.
     *
     * @param bytes of its hidden states; 0 if nobody wants them
     * @param whenTaken is called as soon as they are there, while llama.cpp has yet to tidy up
     */
    void arm(long bytes, Runnable whenTaken) {
        then = whenTaken;
        expectedBytes = bytes;
        armed = bytes > 0;
        taken = false;
        failure = null;
    }

    /** Whether the hidden states of the batch were taken. */
    boolean taken() {
        return taken;
    }

    /** What went wrong in the callback, if anything. */
    @Nullable Throwable failure() {
        return failure;
    }

    /** The hidden states of the last batch. */
    MemorySegment hidden() {
        return hidden.asSlice(0, expectedBytes);
    }

    /**
     * Called by llama.cpp: first to ask whether a node is wanted, then, for a wanted one, with its
     * result, to ask whether to go on. An exception that escaped would end the process. Of a graph
     * whose input does not come no more than the first node is computed.
     */
    @SuppressWarnings("unused")
    private boolean onNode(long tensor, boolean asks, long userData) {
        try {
            if (!late.reached(tensor)) {
                return asks;
            }
            if (!armed || !isWanted(tensor + nameOffset)) {
                return !asks;
            }
            if (!asks) {
                take(tensor);
            }
            return asks || !stops;
        } catch (Throwable t) {
            failure = t;
            return false;
        }
    }

    private boolean isWanted(long nameAddress) {
        return (MEMORY.get(JAVA_LONG_UNALIGNED, nameAddress) & mask[0]) == name[0]
                && (MEMORY.get(JAVA_LONG_UNALIGNED, nameAddress + WORD) & mask[1]) == name[1];
    }

    private void take(long tensor) {
        long bytes = calls.tensorBytes(tensor);
        if (bytes != expectedBytes) {
            throw new IllegalStateException(
                    "the hidden states have %d bytes instead of %d"
                            .formatted(bytes, expectedBytes));
        }
        calls.readTensor(tensor, hidden, bytes);
        taken = true;
        then.run();
    }
}
