package coop.sahkar.worker.head;

import static java.nio.charset.StandardCharsets.UTF_8;

import coop.sahkar.worker.engine.Vocabulary;
import java.util.ArrayList;
import java.util.List;

/**
 * One token for each byte, and control tokens: 256 begins a text, 257 ends one. {@code <s>} and
 * {@code </s>} are their text forms.
 */
final class ByteVocabulary implements Vocabulary {
    static final int BEGIN = 256;
    static final int END = 257;

    @Override
    public int size() {
        return 258;
    }

    @Override
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
        List<Integer> tokens = new ArrayList<>();
        if (addSpecial) {
            tokens.add(BEGIN);
        }
        int at = 0;
        while (at < text.length()) {
            if (parseSpecial && text.startsWith("<s>", at)) {
                tokens.add(BEGIN);
                at += 3;
            } else if (parseSpecial && text.startsWith("</s>", at)) {
                tokens.add(END);
                at += 4;
            } else {
                int next = text.offsetByCodePoints(at, 1);
                for (byte b : text.substring(at, next).getBytes(UTF_8)) {
                    tokens.add(b & 0xFF);
                }
                at = next;
            }
        }
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }

    @Override
    public byte[] piece(int token) {
        return token < 256 ? new byte[] {(byte) token} : new byte[0];
    }

    @Override
    public boolean endsGeneration(int token) {
        return token == END;
    }
}
