package coop.sahkar.worker.gguf.synthetic;

import coop.sahkar.worker.gguf.MetadataBuilder;
import coop.sahkar.worker.gguf.MetadataValue;
import coop.sahkar.worker.gguf.ValueType;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A vocabulary of any size that can say any text: the special tokens, a token for each byte, the
 * printable ASCII characters, then made-up words of growing length.
 */
final class RandomVocabulary {
    private static final int SPECIALS = 3;
    private static final int BYTES = 256;
    private static final char WORD_START = '▁';
    private static final String CONSONANTS = "kstnhmrlgdbpvjy";
    private static final String VOWELS = "aeiou";

    /** Special tokens, bytes, and the characters from space to tilde. */
    static final int LEAST = SPECIALS + BYTES + ('~' - ' ' + 1);

    /** Kinds of token, by llama.cpp's numbers. */
    private static final int NORMAL = 1;

    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int BYTE = 6;

    private RandomVocabulary() {}

    static void put(MetadataBuilder metadata, int size) {
        List<String> tokens = tokens(size);
        List<MetadataValue> texts = new ArrayList<>();
        List<MetadataValue> scores = new ArrayList<>();
        List<MetadataValue> kinds = new ArrayList<>();
        for (int id = 0; id < size; id++) {
            texts.add(new MetadataValue.Text(tokens.get(id)));
            scores.add(new MetadataValue.Real(ValueType.F32, id < SPECIALS + BYTES ? 0 : -id));
            kinds.add(new MetadataValue.Whole(ValueType.I32, kind(id)));
        }
        metadata.text("tokenizer.ggml.model", "llama")
                .text("tokenizer.ggml.pre", "default")
                .sequence("tokenizer.ggml.tokens", ValueType.STRING, texts)
                .sequence("tokenizer.ggml.scores", ValueType.F32, scores)
                .sequence("tokenizer.ggml.token_type", ValueType.I32, kinds)
                .u32("tokenizer.ggml.bos_token_id", 1)
                .u32("tokenizer.ggml.eos_token_id", 2)
                .u32("tokenizer.ggml.unknown_token_id", 0)
                .flag("tokenizer.ggml.add_bos_token", true)
                .flag("tokenizer.ggml.add_eos_token", false)
                .flag("tokenizer.ggml.add_space_prefix", false);
    }

    private static int kind(int id) {
        if (id == 0) {
            return UNKNOWN;
        }
        if (id < SPECIALS) {
            return CONTROL;
        }
        return id < SPECIALS + BYTES ? BYTE : NORMAL;
    }

    private static List<String> tokens(int size) {
        Set<String> tokens = new LinkedHashSet<>(List.of("<unk>", "<s>", "</s>"));
        for (int i = 0; i < BYTES; i++) {
            tokens.add(String.format(Locale.ROOT, "<0x%02X>", i));
        }
        tokens.add(String.valueOf(WORD_START));
        for (char c = '!'; c <= '~'; c++) {
            tokens.add(String.valueOf(c));
        }
        for (int word = 0; tokens.size() < size; word++) {
            tokens.add((word % 2 == 0 ? String.valueOf(WORD_START) : "") + word(word / 2));
        }
        return List.copyOf(tokens);
    }

    /** The word of that number: its digits, each written as a syllable. */
    private static String word(int number) {
        int syllables = CONSONANTS.length() * VOWELS.length();
        StringBuilder word = new StringBuilder();
        int rest = number;
        do {
            int digit = rest % syllables;
            word.append(CONSONANTS.charAt(digit % CONSONANTS.length()));
            word.append(VOWELS.charAt(digit / CONSONANTS.length()));
            rest = rest / syllables - 1;
        } while (rest >= 0);
        return word.toString();
    }
}
