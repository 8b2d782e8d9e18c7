package coop.sahkar.worker.llama;

import java.util.ArrayList;
import java.util.List;

/**
 * How far a text goes on without a place where every pre-tokenizer ends a word.
 *
 * <p>llama.cpp cuts text into words by {@code std::regex} for many vocabularies, and that recurses
 * once per character of a word: a word of a few thousand letters overflows a thread's stack and
 * takes the process with it. All the patterns end a word where white space or digits begin or end,
 * and where letters end, except before an apostrophe or a mark.
 */
final class Stretches {
    private Stretches() {}

    private enum Kind {
        SPACE,
        DIGIT,
        LETTER,
        OTHER
    }

    /** Characters of the longest stretch. */
    static int longest(String text) {
        int longest = 0;
        int start = 0;
        for (int end = next(text, start); start < text.length(); end = next(text, start)) {
            longest = Math.max(longest, end - start);
            start = end;
        }
        return longest;
    }

    /** Cuts the text in stretches longer than {@code most} characters, and nowhere else. */
    static List<String> cut(String text, int most) {
        List<String> parts = new ArrayList<>();
        int partStart = 0;
        int start = 0;
        for (int end = next(text, start); start < text.length(); end = next(text, start)) {
            while (end - start > most) {
                start += most;
                if (Character.isLowSurrogate(text.charAt(start))) {
                    start--;
                }
                parts.add(text.substring(partStart, start));
                partStart = start;
            }
            start = end;
        }
        parts.add(text.substring(partStart));
        return parts;
    }

    /** Where the stretch that begins at {@code start} ends. */
    private static int next(String text, int start) {
        if (start >= text.length()) {
            return text.length();
        }
        Kind before = kind(text.codePointAt(start));
        int at = start + Character.charCount(text.codePointAt(start));
        while (at < text.length()) {
            int codePoint = text.codePointAt(at);
            Kind kind = kind(codePoint);
            boolean ends =
                    kind != before
                            && (kind != Kind.LETTER || before != Kind.OTHER)
                            && !isApostrophe(codePoint);
            if (ends) {
                return at;
            }
            before = kind;
            at += Character.charCount(codePoint);
        }
        return at;
    }

    private static boolean isApostrophe(int codePoint) {
        return codePoint == '\'' || codePoint == '’';
    }

    private static Kind kind(int codePoint) {
        if (Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint)) {
            return Kind.SPACE;
        }
        return switch (Character.getType(codePoint)) {
            case Character.DECIMAL_DIGIT_NUMBER -> Kind.DIGIT;
            case Character.UPPERCASE_LETTER,
                    Character.LOWERCASE_LETTER,
                    Character.TITLECASE_LETTER,
                    Character.MODIFIER_LETTER,
                    Character.OTHER_LETTER,
                    Character.NON_SPACING_MARK,
                    Character.COMBINING_SPACING_MARK,
                    Character.ENCLOSING_MARK ->
                    Kind.LETTER;
            default -> Kind.OTHER;
        };
    }
}
