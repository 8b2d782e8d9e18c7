package coop.sahkar.proto;

import java.util.Optional;

/**
 * What a grammar on the wire must look like. llama.cpp parses it with native recursion and expands
 * repetitions in memory, so what a peer sends is bounded here before it comes there. Whether it is
 * a grammar at all, llama.cpp says.
 */
public final class Grammar {
    private final String text;
    private int at;
    private int depth;
    private int rules;

    private Grammar(String text) {
        this.text = text;
    }

    /** What is wrong with a grammar, as the end of a sentence; empty if nothing is. */
    public static Optional<String> fault(String grammar) {
        if (grammar.length() > Limits.MAX_GRAMMAR_CHARS) {
            return Optional.of("is larger than %d characters".formatted(Limits.MAX_GRAMMAR_CHARS));
        }
        return new Grammar(grammar).scan();
    }

    private Optional<String> scan() {
        while (at < text.length()) {
            char now = text.charAt(at++);
            switch (now) {
                case '"' -> skipTo('"');
                case '[' -> skipTo(']');
                case '(' -> depth++;
                case ')' -> depth--;
                case '=' -> rules++;
                case '{' -> {
                    if (!repeats()) {
                        return Optional.of(
                                "repeats a part more than %d times"
                                        .formatted(Limits.MAX_GRAMMAR_REPEATS));
                    }
                }
                case '#' -> {
                    return Optional.of("has a comment");
                }
                default -> {}
            }
            if (depth > Limits.MAX_GRAMMAR_DEPTH || rules > Limits.MAX_GRAMMAR_RULES) {
                return Optional.of("has too many rules, or groups within groups");
            }
        }
        return Optional.empty();
    }

    private void skipTo(char end) {
        while (at < text.length() && text.charAt(at) != end) {
            at += text.charAt(at) == '\\' ? 2 : 1;
        }
        at++;
    }

    /** Whether both numbers of {@code {2,5}} are small; the first brace is passed already. */
    private boolean repeats() {
        int number = 0;
        while (at < text.length() && text.charAt(at) != '}') {
            char now = text.charAt(at++);
            if (now >= '0' && now <= '9') {
                number = 10 * number + now - '0';
            } else {
                number = 0;
            }
            if (number > Limits.MAX_GRAMMAR_REPEATS) {
                return false;
            }
        }
        return true;
    }
}
