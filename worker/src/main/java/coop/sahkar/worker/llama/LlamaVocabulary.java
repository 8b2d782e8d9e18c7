package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.charset.StandardCharsets.UTF_8;

import coop.sahkar.worker.engine.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;

/** The tokens of a loaded model, through llama.cpp's own tokenizer. Closed with its model. */
public final class LlamaVocabulary implements Vocabulary {
    private static final int PIECE_BYTES = 64;
    private static final int MIN_TOKENS = 64;

    /** Stretches that any thread's stack is large enough for: a fifth of what 1 MiB bears. */
    private static final int SAFE_STRETCH_CHARS = 256;

    /** Stretches that the tokenizer's own stack is large enough for, at about 1 KiB a character. */
    private static final int MAX_STRETCH_CHARS = 16 * 1024;

    private static final long TOKENIZER_STACK_BYTES = 64L << 20;

    private final ModelCalls calls;
    private final MemorySegment handle;
    private final int size;
    private final AtomicReferenceArray<byte[]> pieces;

    LlamaVocabulary(ModelCalls calls, MemorySegment handle) {
        this.calls = calls;
        this.handle = handle;
        size = calls.tokenCount(handle);
        pieces = new AtomicReferenceArray<>(size);
    }

    boolean exists() {
        return calls.hasVocabulary(handle);
    }

    /** llama.cpp's handle; good as long as the model is open. */
    MemorySegment handle() {
        return handle;
    }

    @Override
    public int size() {
        return size;
    }

    /**
     * {@inheritDoc}
     *
     * <p>A word of more than 16,384 letters is cut, see {@link Stretches}.
     */
    @Override
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
        if (!calls.cutsWordsByPattern(handle) || Stretches.longest(text) <= SAFE_STRETCH_CHARS) {
            return tokenizePart(text, addSpecial, parseSpecial);
        }
        return onLargeStack(() -> {
            IntStream.Builder tokens = IntStream.builder();
            boolean special = addSpecial;
            for (String part : Stretches.cut(text, MAX_STRETCH_CHARS)) {
                IntStream.of(tokenizePart(part, special, parseSpecial)).forEach(tokens);
                special = false;
            }
            return tokens.build().toArray();
        });
    }

    private static int[] onLargeStack(Callable<int[]> work) {
        FutureTask<int[]> task = new FutureTask<>(work);
        new Thread(null, task, "tokenizer", TOKENIZER_STACK_BYTES).start();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw Symbols.broken(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private int[] tokenizePart(String text, boolean addSpecial, boolean parseSpecial) {
        // Java's encoder writes valid UTF-8 always; on anything else llama.cpp would end the
        // process.
        byte[] bytes = text.getBytes(UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment utf8 = arena.allocateFrom(JAVA_BYTE, bytes);
            MemorySegment tokens = arena.allocate(JAVA_INT, bytes.length / 2 + MIN_TOKENS);
            int count = calls.tokenize(handle, utf8, tokens, addSpecial, parseSpecial);
            if (count < 0) {
                tokens = arena.allocate(JAVA_INT, -(long) count);
                count = calls.tokenize(handle, utf8, tokens, addSpecial, parseSpecial);
            }
            if (count < 0) {
                throw new IllegalStateException(
                        "llama.cpp could not cut %d bytes of text into tokens"
                                .formatted(bytes.length));
            }
            return tokens.asSlice(0, (long) count * Integer.BYTES).toArray(JAVA_INT);
        }
    }

    @Override
    public byte[] piece(int token) {
        Objects.checkIndex(token, size);
        byte[] known = pieces.get(token);
        if (known == null) {
            known = readPiece(token);
            pieces.set(token, known);
        }
        return known.clone();
    }

    private byte[] readPiece(int token) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(PIECE_BYTES);
            int length = calls.piece(handle, token, buffer);
            if (length < 0) {
                buffer = arena.allocate(-(long) length);
                length = calls.piece(handle, token, buffer);
            }
            return buffer.asSlice(0, length).toArray(JAVA_BYTE);
        }
    }

    @Override
    public boolean endsGeneration(int token) {
        Objects.checkIndex(token, size);
        return calls.endsGeneration(handle, token);
    }
}
