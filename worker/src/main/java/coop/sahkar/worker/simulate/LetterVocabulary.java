package coop.sahkar.worker.simulate;

import coop.sahkar.worker.engine.Vocabulary;
import java.nio.charset.StandardCharsets;

/** Tokens that are small numbers, written as letters; token 0 ends a generation. */
public final class LetterVocabulary implements Vocabulary {
    @Override
    public int size() {
        return ArithmeticStage.VOCABULARY;
    }

    @Override
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
        return text.chars().map(letter -> letter - 'A' + 1).toArray();
    }

    @Override
    public byte[] piece(int token) {
        String letter = token == 0 ? "" : String.valueOf((char) ('A' + token - 1));
        return letter.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean endsGeneration(int token) {
        return token == 0;
    }
}
