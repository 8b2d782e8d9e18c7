package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets a batch of one row begin before its input is there. llama.cpp finds the row's place in the
 * cache, builds the graph and gives it memory, none of which depends on what the row holds, and
 * then asks the evaluation callback about each node before it computes it. The first node that
 * reads the input is where that is waited for, and put where the node finds it.
 *
 * <p>Only for graphs that are computed by the processor: elsewhere inputs have been copied away by
 * then. Confined to the thread that computes.
 */
final class LateInput {
    /** All of memory, to read tensors at the addresses llama.cpp gave. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    // Within struct ggml_tensor, which ggml.h shows, as b4916 and v0.5 have it.
    private static final long NAME = 256;
    private static final long FLAGS = 148;
    private static final long OPERANDS = 152;
    private static final int INPUT_FLAG = 1;

    /** Before the input is read: masks, and in v0.5 the embedding of a token that is not there. */
    private static final int MOST_NODES = 16;

    /** An embedding's table and tokens, a norm's only one, or a product's weights and rows. */
    private static final int LOOKED_AT = 2;

    private final ContextCalls calls;
    private final boolean head;
    private final Rows row;
    private final MemorySegment token;
    private @Nullable BooleanSupplier source;
    private Check check = () -> {};
    private @Nullable Throwable failure;
    private int nodes;
    private boolean possible;
    private boolean underWay;
    private boolean came;
    private long cameNanos;

    /** Refuses a row. */
    interface Check {
        void check() throws StageException;
    }

    /**
     * @param head whether rows hold tokens, not hidden states
     */
    LateInput(ContextCalls calls, LlamaModel model, boolean head, Arena arena) {
        this.calls = calls;
        this.head = head;
        possible = !model.usesGpu() && calls.tensorNameOffset() == NAME;
        row = new Rows(arena, 1, model.width());
        token = arena.allocate(JAVA_INT);
    }

    /** Whether there is any use in waiting for one. */
    boolean possible() {
        return possible;
    }

    /** The row that is expected, without its token or hidden state. */
    Rows expect(int sequence, int position, boolean wantLogits) {
        row.clear();
        row.add(0, position, sequence, wantLogits);
        return row;
    }

    /**
     * The batch that is computed next is of that row.
     *
     * @param from waits for its input and writes it there; false when it does not come
     * @param then looks at the row that came
     */
    void await(BooleanSupplier from, Check then) {
        source = from;
        check = then;
        failure = null;
        came = false;
        nodes = 0;
        underWay = true;
    }

    /** The batch is through; nothing is waited for any more. */
    void settle() {
        source = null;
        underWay = false;
    }

    /** Whether a batch that waits, or has waited, for its input is under way. */
    boolean underWay() {
        return underWay;
    }

    /** Whether the input of the last such batch came and was put in its place. */
    boolean came() {
        return came;
    }

    /** When it came. */
    long cameNanos() {
        return cameNanos;
    }

    /** Throws what waiting for it has thrown, if anything. */
    void rethrow() throws StageException {
        switch (failure) {
            case StageException refused -> throw refused;
            case RuntimeException fault -> throw fault;
            case Error fault -> throw fault;
            case null, default -> {}
        }
    }

    /**
     * Called about each node before it is computed; waits at the first that reads the input.
     *
     * @return whether the graph is to be computed; else no more of it than this node
     */
    boolean reached(long node) {
        if (source == null) {
            return came || !underWay;
        }
        BooleanSupplier from = source;
        try {
            long place = inputOf(node, head ? token.byteSize() : row.hidden.byteSize());
            if (place == 0 && nodes++ < MOST_NODES) {
                return true;
            }
            source = null;
            possible = place != 0;
            came = possible && put(place, from);
        } catch (StageException | RuntimeException | Error e) {
            failure = e;
        }
        cameNanos = System.nanoTime();
        return came;
    }

    private boolean put(long place, BooleanSupplier from) throws StageException {
        if (!from.getAsBoolean()) {
            return false;
        }
        check.check();
        token.set(JAVA_INT, 0, row.token[0]);
        MemorySegment input = head ? token : row.hidden;
        calls.writeTensor(place, input, input.byteSize());
        return true;
    }

    /** The operand of a node that is an input of the graph and has so many bytes; 0 if none. */
    private long inputOf(long node, long bytes) {
        for (int i = 0; i < LOOKED_AT; i++) {
            long operand = MEMORY.get(JAVA_LONG_UNALIGNED, node + OPERANDS + (long) i * Long.BYTES);
            if (operand != 0
                    && (MEMORY.get(JAVA_INT_UNALIGNED, operand + FLAGS) & INPUT_FLAG) != 0
                    && calls.tensorBytes(operand) == bytes) {
                return operand;
            }
        }
        return 0;
    }
}
