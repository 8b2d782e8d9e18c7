package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The C functions about a model and its vocabulary; all of them may be called by any thread. */
final class ModelCalls {
    // enum llama_vocab_type
    private static final int NO_VOCABULARY = 0;
    private static final int BYTE_PAIRS = 2;

    private final MethodHandle free;
    private final MethodHandle width;
    private final MethodHandle blocks;
    private final MethodHandle trainedContext;
    private final MethodHandle hasEncoder;
    private final MethodHandle metadata;
    private final MethodHandle vocabulary;
    private final MethodHandle vocabularyType;
    private final MethodHandle tokenCount;
    private final MethodHandle endsGeneration;
    private final MethodHandle tokenize;
    private final MethodHandle piece;

    ModelCalls(Symbols symbols) {
        free = symbols.ofVoid("llama_model_free", ADDRESS);
        width = symbols.of("llama_model_n_embd", JAVA_INT, ADDRESS);
        blocks = symbols.of("llama_model_n_layer", JAVA_INT, ADDRESS);
        trainedContext = symbols.of("llama_model_n_ctx_train", JAVA_INT, ADDRESS);
        hasEncoder = symbols.of("llama_model_has_encoder", JAVA_BOOLEAN, ADDRESS);
        metadata =
                symbols.of(
                        "llama_model_meta_val_str", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
        vocabulary = symbols.of("llama_model_get_vocab", ADDRESS, ADDRESS);
        vocabularyType = symbols.of("llama_vocab_type", JAVA_INT, ADDRESS);
        tokenCount = symbols.of("llama_vocab_n_tokens", JAVA_INT, ADDRESS);
        endsGeneration = symbols.of("llama_vocab_is_eog", JAVA_BOOLEAN, ADDRESS, JAVA_INT);
        tokenize =
                symbols.of(
                        "llama_tokenize",
                        JAVA_INT,
                        ADDRESS,
                        ADDRESS,
                        JAVA_INT,
                        ADDRESS,
                        JAVA_INT,
                        JAVA_BOOLEAN,
                        JAVA_BOOLEAN);
        piece =
                symbols.of(
                        "llama_token_to_piece",
                        JAVA_INT,
                        ADDRESS,
                        JAVA_INT,
                        ADDRESS,
                        JAVA_INT,
                        JAVA_INT,
                        JAVA_BOOLEAN);
    }

    void free(MemorySegment model) {
        try {
            free.invokeExact(model);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    int width(MemorySegment model) {
        return intOf(width, model);
    }

    int blocks(MemorySegment model) {
        return intOf(blocks, model);
    }

    int trainedContext(MemorySegment model) {
        return intOf(trainedContext, model);
    }

    /**
     * Whether the shard has a tokenizer; llama.cpp ends the process if one that has none is used.
     */
    boolean hasVocabulary(MemorySegment vocabulary) {
        return intOf(vocabularyType, vocabulary) != NO_VOCABULARY;
    }

    /** Whether text is cut into words by patterns first. */
    boolean cutsWordsByPattern(MemorySegment vocabulary) {
        return intOf(vocabularyType, vocabulary) == BYTE_PAIRS;
    }

    int tokenCount(MemorySegment vocabulary) {
        return intOf(tokenCount, vocabulary);
    }

    private static int intOf(MethodHandle function, MemorySegment argument) {
        try {
            return (int) function.invokeExact(argument);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    boolean hasEncoder(MemorySegment model) {
        try {
            return (boolean) hasEncoder.invokeExact(model);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** Bytes the value has, without the closing 0; below 0 if there is no such key. */
    int metadata(MemorySegment model, MemorySegment key, MemorySegment buffer) {
        try {
            return (int) metadata.invokeExact(model, key, buffer, buffer.byteSize());
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    MemorySegment vocabulary(MemorySegment model) {
        try {
            return (MemorySegment) vocabulary.invokeExact(model);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    boolean endsGeneration(MemorySegment vocabulary, int token) {
        try {
            return (boolean) endsGeneration.invokeExact(vocabulary, token);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** How many tokens were written, or minus how many there would be. */
    int tokenize(
            MemorySegment vocabulary,
            MemorySegment utf8,
            MemorySegment tokens,
            boolean addSpecial,
            boolean parseSpecial) {
        int room = (int) (tokens.byteSize() / Integer.BYTES);
        int length = (int) utf8.byteSize();
        try {
            return (int)
                    tokenize.invokeExact(
                            vocabulary, utf8, length, tokens, room, addSpecial, parseSpecial);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /** How many bytes were written, none for control tokens, or minus how many there would be. */
    int piece(MemorySegment vocabulary, int token, MemorySegment buffer) {
        int room = (int) buffer.byteSize();
        try {
            return (int) piece.invokeExact(vocabulary, token, buffer, room, 0, false);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }
}
